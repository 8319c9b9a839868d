//! What calls cost: from the JVM out of the jar as it is shipped, its library stripped; from Python out of the wheel; from Swift, where
//! there is one, in an app of its own. Must not know what a call does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::super::{run, swift, without_cargo};
use super::package::{self, BUILT};
use super::{carried, emptied, installed_wheel, maven};

const HOUSEHOLDS: &str = "10000";
/// Starts of which the middle counts.
const STARTS: usize = 7;
/// Runs of a language's program of which the middle counts.
const ROUNDS: usize = 3;

/// Builds, fills a book of ten thousand households, and prints a table a language.
pub(crate) fn bench() -> Result<(), String> {
    package::library()?;
    let folder = emptied("target/bindings/bench")?;
    let program = Program::built(&folder)?;
    let book = folder.join("book.sqlite");
    program.run(&["fill", path(&book)?, HOUSEHOLDS])?;
    println!("| what, JVM, {HOUSEHOLDS} households | measured | aim |\n|---|---|---|");
    let start = ["start", path(&book)?];
    let starts = |program: &Program| rounds(STARTS, || program.run(&start));
    let mut told = starts(&program)?;
    let archived = program.archived(&folder.join("classes.jsa"), &start)?;
    let whole_start = starts(&archived)?.into_iter().filter(|figure| figure.aim.is_some());
    told.extend(whole_start.map(|figure| figure.with("classes archived")));
    let calls = ["calls", path(&book)?];
    told.extend(rounds(ROUNDS, || program.run(&calls))?);
    told.iter().for_each(Figure::print);
    println!("| library, stripped | {:.2} MiB | – |", size_mib(&carried())?);
    println!("| library, as built | {:.2} MiB | – |", size_mib(Path::new(package::LIBRARY))?);
    let python = installed_wheel("release")?;
    other("Python", || {
        let mut program = Command::new(&python);
        program.arg("bindings/python/tests/bench.py").arg(&book);
        printed(&mut program)
    })?;
    match swift::bench(&book)? {
        Some(mut program) => other("Swift", || printed(&mut program)),
        None => Ok(()),
    }
}

/// The table of another language.
fn other(language: &str, run: impl FnMut() -> Result<String, String>) -> Result<(), String> {
    let figures = rounds(ROUNDS, run)?;
    println!("\n| what, {language}, {HOUSEHOLDS} households | measured | aim |\n|---|---|---|");
    figures.iter().for_each(Figure::print);
    Ok(())
}

/// The jar as it is shipped and this program's own, with all that they need.
#[derive(Clone)]
struct Program {
    classes: String,
    /// What else the JVM is told.
    options: Vec<String>,
}

impl Program {
    fn built(folder: &Path) -> Result<Self, String> {
        let folder = fs::canonicalize(folder).map_err(|error| error.to_string())?;
        let (listed, own) = (folder.join("classes"), folder.join("bench.jar"));
        let listed_in = format!("-Dmdep.outputFile={}", path(&listed)?);
        // What an app has: nothing that only tests need.
        let goals = ["package", "dependency:build-classpath", "-DincludeScope=runtime"];
        let mut maven = maven(&[&["--quiet", "-DskipTests"], &goals[..], &[&listed_in]].concat())?;
        run(&mut maven, "mvn package")?;
        let mut jar = Command::new("jar");
        jar.args(["--create", "--file", path(&own)?, "-C", &format!("{BUILT}/test-classes"), "."]);
        run(&mut jar, "jar, the program that measures")?;
        let needed = fs::read_to_string(&listed).map_err(|error| error.to_string())?;
        let classes = format!("{}:{}:{}", path(&own)?, package::JAR, needed.trim());
        Ok(Self { classes, options: Vec::new() })
    }

    /// The same with its classes in an archive of the JVM's (class data sharing), made by running it once.
    fn archived(&self, archive: &Path, arguments: &[&str]) -> Result<Self, String> {
        let with = |option: &str, how: &str| -> Result<Self, String> {
            let options = vec![format!("-XX:{option}={}", path(archive)?), how.into()];
            Ok(Self { options, ..self.clone() })
        };
        with("ArchiveClassesAtExit", "-Xlog:disable")?.run(arguments)?;
        // Ends where the archive cannot be used.
        with("SharedArchiveFile", "-Xshare:on")
    }

    fn run(&self, arguments: &[&str]) -> Result<String, String> {
        let mut java = Command::new("java");
        // A heap that does not grow while it is measured: what the process holds more of is the library's.
        java.args(["-Xms96m", "-Xmx96m", "-XX:+AlwaysPreTouch"]).args(&self.options);
        java.args(["-cp", &self.classes, "cn.wanhu.BenchKt"]).args(arguments);
        printed(&mut java)
    }
}

/// What a program prints that ends well.
fn printed(program: &mut Command) -> Result<String, String> {
    without_cargo(program);
    let output = program.output().map_err(|error| format!("{program:?}: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Of every figure the middle one of so many runs.
fn rounds(
    times: usize,
    mut run: impl FnMut() -> Result<String, String>,
) -> Result<Vec<Figure>, String> {
    (0..times).map(|_| figures(&run()?)).collect::<Result<_, _>>().map(middle)
}

/// Of every figure the middle one of several rounds.
fn middle(rounds: Vec<Vec<Figure>>) -> Vec<Figure> {
    let mut by_place: Vec<Vec<Figure>> = Vec::new();
    for round in rounds {
        by_place.resize_with(round.len().max(by_place.len()), Vec::new);
        by_place.iter_mut().zip(round).for_each(|(figures, figure)| figures.push(figure));
    }
    for figures in &mut by_place {
        figures.sort_by(|one, other| one.value.total_cmp(&other.value));
    }
    by_place.into_iter().map(|mut figures| figures.swap_remove(figures.len() / 2)).collect()
}

struct Figure {
    what: String,
    value: f64,
    unit: String,
    aim: Option<f64>,
}

impl Figure {
    fn with(self, how: &str) -> Self {
        Self { what: format!("{}, {how}", self.what), ..self }
    }

    fn print(&self) {
        let Self { what, value, unit, aim } = self;
        let aim = match aim {
            None => "–".to_owned(),
            Some(aim) if value <= aim => format!("{aim} {unit}"),
            Some(aim) => format!("{aim} {unit} (missed)"),
        };
        println!("| {what} | {value:.1} {unit} | {aim} |");
    }
}

fn figures(printed: &str) -> Result<Vec<Figure>, String> {
    let read = |line: &str| {
        let [what, value, unit, aim] = line.split('\t').collect::<Vec<_>>()[..] else {
            return Err(line.to_owned());
        };
        let value = value.parse().map_err(|_| line.to_owned())?;
        Ok(Figure { what: what.into(), value, unit: unit.into(), aim: aim.parse().ok() })
    };
    printed.lines().map(read).collect()
}

fn size_mib(file: &Path) -> Result<f64, String> {
    let found = fs::metadata(file).map_err(|error| format!("{}: {error}", file.display()))?;
    // A library has no more bytes than a double has digits.
    Ok(u32::try_from(found.len()).map_or(f64::INFINITY, f64::from) / f64::from(1 << 20))
}

fn path(path: &Path) -> Result<&str, String> {
    path.to_str().ok_or_else(|| format!("{}", PathBuf::from(path).display()))
}
