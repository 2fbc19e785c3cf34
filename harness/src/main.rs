//! The command line: `reqmtls --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    reqmtls::command::main()
}
