//! `reqmtls decode`: octets of `tls_flags`, a ClientHello or a capture, explained and judged.

mod breach;
mod capture;
mod flags;
mod hello;
mod input;

use std::ffi::OsString;
use std::io::{self, Write};
use std::num::ParseIntError;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use input::{Input, Source};
use reqmtls_observer::{Codepoints, ExtensionType};

const EXAMPLES: &str = "\
Examples:
  reqmtls decode 0b0000000000000000000001          extension_data of tls_flags
  reqmtls decode --as client-hello < hello.txt     a ClientHello, hexadecimal or base64
  reqmtls decode run.pcapng --key-log keys.txt     every TLS connection of a capture

Exit codes:
  0  well-formed
  1  malformed, or a connection has defects
  2  bad usage, or input that cannot be read";

/// What to decode, and as what.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// A file, or octets as hexadecimal or base64; - or nothing reads stdin
    #[arg(value_name = "INPUT")]
    input: Option<OsString>,
    /// What the input is [default: a guess, which is told]
    #[arg(long = "as", value_enum, value_name = "FORM")]
    form: Option<Form>,
    /// Secrets for a capture, as key log lines; those that it embeds are used anyway
    #[arg(long, value_name = "FILE")]
    key_log: Option<PathBuf>,
    /// The number of the request mTLS flag
    #[arg(long, default_value_t = reqmtls_observer::DEFAULT_FLAG, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(0..=2039))]
    flag: u16,
    /// The number of the extension that carries flags, decimal or with 0x in front
    #[arg(long, default_value = "62", value_name = "NUMBER", value_parser = number)]
    extension: u16,
}

fn number(text: &str) -> Result<u16, ParseIntError> {
    match text.strip_prefix("0x") {
        Some(digits) => u16::from_str_radix(digits, 16),
        None => text.parse(),
    }
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
    /// Whether something is malformed or has defects.
    faulty: bool,
}

impl Report {
    fn line(&mut self, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref());
        self.text.push('\n');
    }

    /// Ends with the judgement of what was found.
    fn judge(&mut self, breaches: &[breach::Breach]) {
        self.faulty |= !breaches.is_empty();
        if breaches.is_empty() {
            self.line("well-formed");
        }
        for breach in breaches {
            self.line(breach.to_string());
        }
    }
}

/// Decodes the input, writes what there is to say on stdout, and returns the exit code.
pub fn decode(arguments: &Arguments) -> anyhow::Result<u8> {
    let source = Source::of(arguments.input.as_deref());
    let octets = source.read()?;
    let input = Input::of(&octets, arguments.form).with_context(|| source.to_string())?;
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
            " (a guess; --as FORM decides)"
        } else {
            ""
        },
    ));
    let codepoints = Codepoints {
        extension: ExtensionType(arguments.extension),
        flag: arguments.flag,
    };
    match input.form {
        Form::Flags => flags::explain(&mut report, &input.octets, codepoints),
        Form::ClientHello => hello::explain(&mut report, &input.octets, codepoints)
            .with_context(|| source.to_string())?,
        Form::Capture => {
            let log = arguments.key_log.as_deref().map(capture::key_log);
            let log = log.transpose()?.unwrap_or_default();
            capture::explain(&mut report, &input.octets, log, codepoints)
                .with_context(|| source.to_string())?;
        }
    }
    io::stdout().write_all(report.text.as_bytes())?;
    Ok(u8::from(report.faulty))
}
