//! The scenarios, built into the program: what `reqmtls` runs where there is no checkout.

use std::env;
use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let scenarios = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../scenarios");
    let mut files = String::from("&[\n");
    for folder in ["", "self-test/"] {
        let path = scenarios.join(folder);
        // Of a folder, Cargo notices files that come and go too.
        println!("cargo::rerun-if-changed={}", path.display());
        for entry in fs::read_dir(path)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.ends_with(".toml") && name != "published.toml" {
                let name = format!("scenarios/{folder}{name}");
                writeln!(files, "({name:?}, include_str!({path:?})),")?;
            }
        }
    }
    files.push(']');
    fs::write(Path::new(&env::var("OUT_DIR")?).join("scenarios.rs"), files)?;
    Ok(())
}
