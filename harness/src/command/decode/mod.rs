//! `reqmtls decode`: octets of `tls_flags`, a ClientHello or a capture, explained, with what of it violates a
//! requirement.

mod capture;
mod flags;
mod hello;
mod input;

use std::ffi::OsString;
use std::fmt;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use super::capture::Numbers;
use super::connection;
use crate::judge::{Ruling, Verdict};
use crate::report::paint::{BAD, painted};
use input::{Input, Source};

const EXAMPLES: &str = "\
Examples:
  reqmtls decode 0b0000000000000000000001          extension_data of tls_flags
  reqmtls decode --as client-hello < hello.txt     a ClientHello, hexadecimal or base64
  reqmtls decode run.pcapng --key-log keys.txt     every TLS connection of a capture

Exit codes:
  0  nothing is violated
  1  something is violated, or not all of a connection can be read
  2  bad usage, or input that cannot be read";

/// What to decode, and as what.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// A file, or octets as hexadecimal or base64; - or nothing reads stdin
    #[arg(value_name = "INPUT")]
    input: Option<OsString>,
    /// What the input is [default: detected, and reported]
    #[arg(long = "as", value_enum, value_name = "FORM")]
    form: Option<Form>,
    /// Secrets for a capture, as key log lines; those that it embeds are used anyway
    #[arg(long, value_name = "FILE")]
    key_log: Option<PathBuf>,
    #[command(flatten)]
    numbers: Numbers,
}

/// What an input can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// The `extension_data` of `tls_flags`
    Flags,
    /// A ClientHello, bare or in its TLS records
    ClientHello,
    /// A pcap or pcapng file
    Capture,
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Self::Flags => "extension_data of tls_flags",
            Self::ClientHello => "ClientHello",
            Self::Capture => "capture",
        }
    }
}

/// What came out.
#[derive(Debug, Default)]
struct Report {
    text: String,
    /// Whether something is violated, or cannot be read.
    faulty: bool,
}

impl Report {
    fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }

    /// What is violated, each with the sentence behind it; whether anything is.
    fn violations(&mut self, rulings: &[Ruling]) -> Result<bool, fmt::Error> {
        let violated = |it: &&Ruling| matches!(it.verdict, Verdict::Violated { .. });
        let mut violated = rulings.iter().filter(violated).peekable();
        let is_violated = violated.peek().is_some();
        if is_violated {
            self.line(painted(BAD, "violated"));
        }
        for ruling in violated {
            connection::ruling(&mut self.text, ruling)?;
        }
        Ok(is_violated)
    }
}

/// Decodes the input, writes what there is to say on stdout, and returns the exit code.
pub(super) fn obey(arguments: &Arguments) -> anyhow::Result<u8> {
    let source = Source::of(arguments.input.as_deref());
    let octets = source.read()?;
    let input = Input::of(&octets, arguments.form).with_context(|| match source {
        // What is no digits may have been meant as a name.
        Source::Argument(_) => "the argument, which names no file".to_owned(),
        Source::Stdin | Source::File(_) => source.to_string(),
    })?;
    if arguments.key_log.is_some() && input.form != Form::Capture {
        let name = input.form.name();
        bail!("got --key-log with input read as {name}, expected a capture");
    }
    let mut report = Report::default();
    report.line(format!(
        "read as {}: {source}, {}{}",
        input.form.name(),
        input.encoding,
        if arguments.form.is_none() {
            " (detected; --as FORM decides)"
        } else {
            ""
        },
    ));
    let (octets, name) = (&input.octets, source.to_string());
    match input.form {
        Form::Flags => flags::explain(&mut report, octets, arguments.numbers),
        Form::ClientHello => hello::explain(&mut report, octets, arguments.numbers, &name),
        Form::Capture => {
            let key_log = arguments.key_log.as_deref();
            capture::explain(&mut report, octets, key_log, &name, arguments.numbers)
        }
    }?;
    anstream::stdout().write_all(report.text.as_bytes())?;
    Ok(u8::from(report.faulty))
}
