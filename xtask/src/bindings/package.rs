//! What an app adds: a jar and a wheel with the release library, where Maven and pip find them. Must not know what is in them.

use std::path::Path;
use std::process::Command;

use super::super::{cargo, run};
use super::{BINDGEN, carried, generate_kotlin, maven, wheel};

pub(crate) const LIBRARY: &str = "target/release/libwanhu.so";
/// Where Maven builds.
pub(super) const BUILT: &str = "target/bindings/kotlin/maven";
pub(super) const JAR: &str = "target/bindings/kotlin/maven/wanhu-0.1.0.jar";

/// Builds both and says where they are.
pub(crate) fn package() -> Result<(), String> {
    library()?;
    let mut maven = maven(&["--quiet", "-DskipTests", "-DskipITs", "install"])?;
    run(&mut maven, "mvn install")?;
    let wheel = wheel("release")?;
    println!(
        "\nKotlin   cn.wanhu:wanhu:0.1.0  本机 Maven 仓库 · in this machine's Maven repository"
    );
    println!("         {JAR}");
    println!("Python   pip install {}", wheel.display());
    Ok(())
}

/// The release library and its Kotlin half, where a jar is made of them.
pub(super) fn library() -> Result<(), String> {
    cargo(&["build", "--release", "-p", "wanhu-bindings"])?;
    cargo(&BINDGEN)?;
    // Generated first and stripped after: the description is in what is stripped.
    generate_kotlin(Path::new(LIBRARY))?;
    run(Command::new("strip").arg(carried()), "strip")
}
