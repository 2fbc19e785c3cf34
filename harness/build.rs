//! The scenarios, built into the program: what `reqmtls` runs where there is no checkout.

use std::env;
use std::error::Error;
use std::fs;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let scenarios = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../scenarios");
    let mut files = Vec::new();
    for folder in ["", "self-test/"] {
        let path = scenarios.join(folder);
        // Of a folder, Cargo notices files that come and go too.
        println!("cargo::rerun-if-changed={}", path.display());
        for entry in fs::read_dir(path)? {
            let path = entry?.path();
            let path = path.to_str().ok_or("got a path that is not UTF-8")?;
            let name = path.rsplit('/').next().unwrap_or_default();
            let id = name.strip_suffix(".toml");
            if id.is_some_and(|id| id != "published") {
                let name = format!("scenarios/{folder}{name}");
                files.push(format!("({name:?}, include_str!({path:?})),"));
            }
        }
    }
    files.sort();
    let list = format!("&[{}]", files.concat());
    fs::write(Path::new(&env::var("OUT_DIR")?).join("scenarios.rs"), list)?;
    Ok(())
}
