//! Writes the honest bytes from which a search begins into tests/corpus, a folder a target.

use wanhu_tests::hostile;

fn main() -> std::io::Result<()> {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (number, (target, bytes)) in hostile::seeds().into_iter().enumerate() {
        let folder = corpus.join(target);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(format!("honest-{number}")), bytes)?;
    }
    Ok(())
}
