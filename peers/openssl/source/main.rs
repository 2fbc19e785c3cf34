//! Builds the OpenSSL of this package's lock file into a folder, static: `build-openssl FOLDER`.

use std::env;
use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(folder) = env::args_os().nth(1) else {
        eprintln!("usage: build-openssl FOLDER");
        return ExitCode::from(2);
    };
    let target = format!("{}-unknown-linux-gnu", env::consts::ARCH);
    let mut build = openssl_src::Build::new();
    build.out_dir(folder).target(&target).host(&target).build();
    ExitCode::SUCCESS
}
