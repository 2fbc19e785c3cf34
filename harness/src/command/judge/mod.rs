//! `reqmtls judge`: every TLS 1.3 connection of a capture, anybody's, by all requirements that can be judged from it.

pub(super) mod json;
mod options;
pub(super) mod text;

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use clap::Args;

use self::options::Options;
use super::capture::{Capture, read_input};
use super::{EXIT_FINDINGS, EXIT_NOTHING, complain};
use crate::judge::{Finding, Recorded, Ruling};
use crate::report::counted;

const EXAMPLES: &str = "\
Examples:
  reqmtls judge results/latest/run.pcapng                 what a run found, once more
  reqmtls judge their.pcapng --key-log keys.txt           anybody's connections, with their secrets
  reqmtls judge their.pcap --server-policy require --json

A requirement that needs more than the octets is judged where an option gives it, or
where the capture is of a run and has it. An option wins over the capture.

Exit codes:
  0  nothing is violated
  1  something is violated
  2  bad usage, or input that cannot be read
  4  no connection of TLS 1.3";

/// What to judge, and what is known of it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// A pcap or pcapng file; - reads stdin
    #[arg(value_name = "CAPTURE")]
    capture: PathBuf,
    /// More secrets, as key log lines; those that the capture embeds are used anyway
    #[arg(long, value_name = "FILE")]
    key_log: Option<PathBuf>,
    /// Write one line of JSON for each connection
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    options: Options,
}

/// What came out.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    judged: usize,
    violating: usize,
    /// Connections of which not all could be read.
    partial: usize,
    /// Connections of TLS 1.2 and before.
    older: usize,
}

/// Judges, writes what there is to say on stdout, and returns the exit code.
pub(super) fn obey(arguments: &Arguments) -> anyhow::Result<u8> {
    let name = arguments.capture.display().to_string();
    let octets = read_input(&arguments.capture)?;
    let capture = Capture::read(&octets, arguments.key_log.as_deref(), &name)?;
    let mut out = BufWriter::new(anstream::stdout().lock());
    let mut count = Count::default();
    for mut recorded in capture.of_tls() {
        arguments.options.apply(&mut recorded);
        let Some(rulings) = recorded.rulings() else {
            count.older += 1;
            continue;
        };
        count.judged += 1;
        count.violating += usize::from(violates(&rulings));
        count.partial += usize::from(!recorded.is_whole());
        if arguments.json {
            serde_json::to_writer(&mut out, &json::Line::of(Some(&name), &recorded, &rulings))?;
            writeln!(out)?;
        } else {
            out.write_all(judged(&recorded, &rulings).as_bytes())?;
        }
    }
    let others = capture.len() - count.judged - count.older;
    let mut left_out = capture.omissions.clone();
    if others > 0 {
        left_out.push(format!("{} without TLS", counted(others, "TCP connection")));
    }
    if count.older > 0 {
        let older = counted(count.older, "connection");
        left_out.push(format!("{older} of TLS 1.2 or before"));
    }
    if arguments.json || count.judged == 0 {
        out.flush()?;
        for omission in &left_out {
            complain(&format!("left out: {omission}"));
        }
    } else {
        writeln!(out)?;
        for omission in &left_out {
            writeln!(out, "left out: {omission}")?;
        }
        writeln!(out, "{}", text::summary(count))?;
        out.flush()?;
    }
    if count.judged == 0 {
        complain(&format!(
            "{name}: got no connection of TLS 1.3, expected at least one from its start on"
        ));
        return Ok(EXIT_NOTHING);
    }
    Ok(if count.violating > 0 {
        EXIT_FINDINGS
    } else {
        0
    })
}

fn judged(recorded: &Recorded, rulings: &[Ruling]) -> String {
    let mut text = String::new();
    // A String takes whatever is written to it.
    let _ = text::judged(&mut text, recorded, rulings);
    text
}

/// Whether an end violates something. As in a run, neither the documents' faults nor what is only our conclusion about
/// an unmodified library count.
fn violates(rulings: &[Ruling]) -> bool {
    let mut findings = rulings.iter().filter_map(Ruling::finding);
    findings.any(|finding| Finding::counts(&finding))
}
