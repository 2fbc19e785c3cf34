//! `reqmtls probe`: the client's side of the cases against anybody's server, and a verdict.

mod junit;
mod options;
mod text;

use std::io::{self, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::bail;

pub(super) use self::options::Arguments;

use super::{EXIT_FINDINGS, EXIT_NOTHING, EXIT_PEER, block_on, complain, interrupted};
use crate::judge::Finding;
use crate::probe::{Document, Grouped, Judged, Probed, grouped, judge, probe};
use crate::report::{CaptureFile, write_whole};

/// Probes, writes what there is to say on stdout, and returns the exit code.
pub(super) fn obey(arguments: &Arguments) -> anyhow::Result<u8> {
    let stop = interrupted()?;
    block_on(async {
        tokio::select! {
            code = obeying(arguments) => code,
            () = stop => {
                complain("interrupted");
                Ok(EXIT_PEER)
            }
        }
    })
}

async fn obeying(arguments: &Arguments) -> anyhow::Result<u8> {
    let address = match arguments.address().await {
        Ok(address) => address,
        Err(error) => {
            complain(&format!("error: {error:#}"));
            return Ok(EXIT_PEER);
        }
    };
    let Some(plan) = arguments.plan(address)? else {
        complain("nothing was selected");
        return Ok(EXIT_NOTHING);
    };
    // Before anything is sent: files that cannot be written would be noticed too late.
    let capture = arguments.capture.as_deref();
    let start = SystemTime::now().duration_since(UNIX_EPOCH);
    let mut capture = capture
        .map(|path| CaptureFile::create(path, start.unwrap_or_default()))
        .transpose()?;
    if let Some(path) = &arguments.junit
        && path.is_dir()
    {
        bail!("{}: got a folder, expected a file", path.display());
    }
    let probed = probe(&plan, |id| {
        if arguments.verbose {
            complain(id);
        }
    });
    let probed = match probed.await {
        Ok(probed) => probed,
        Err(error) => {
            complain(&format!("error: {error}"));
            return Ok(EXIT_PEER);
        }
    };
    let judged = judge(&plan, &probed);
    if let Some(file) = &mut capture {
        add_all(file, "", &probed, &judged)?;
    }
    if let Some(file) = capture {
        file.finish()?;
    }
    let groups = grouped(&probed, &judged);
    let given = arguments.target.to_string();
    if let Some(path) = &arguments.junit {
        write_whole(path, junit::report(&given, &probed, &judged)?.as_bytes())?;
    }
    let mut out = anstream::stdout().lock();
    if arguments.json {
        let whose = arguments.whose();
        let document = Document::of(&given, whose, &plan, &probed, &judged);
        serde_json::to_writer_pretty(&mut out, &document)?;
        writeln!(out)?;
    } else {
        let text = text::Text {
            given: &given,
            arguments,
            plan: &plan,
            probed: &probed,
            judged: &judged,
            groups: &groups,
        };
        write!(out, "{text}")?;
    }
    out.flush()?;
    for fault in judged.own_faults(&probed) {
        complain(&format!(
            "error: the probe's own client is at fault: {fault}"
        ));
    }
    Ok(exit_code(&probed, &judged, &groups))
}

/// Adds every connection to a capture; each name begins with `prefix`.
pub(super) fn add_all(
    file: &mut CaptureFile,
    prefix: &str,
    probed: &Probed,
    judged: &Judged,
) -> io::Result<()> {
    for (played, connections) in probed.played.iter().zip(&judged.connections) {
        for (connected, judged) in played.connections.iter().zip(connections) {
            let name = format!("{prefix}{} connection {}", played.play.id, connected.number);
            let knowledge = Some(&judged.knowledge);
            file.add(&name, knowledge, &connected.key_log, &connected.recording)?;
        }
    }
    Ok(())
}

fn exit_code(probed: &Probed, judged: &Judged, groups: &[Grouped]) -> u8 {
    if probed.stopped.is_some() || !judged.own_faults(probed).is_empty() {
        return EXIT_PEER;
    }
    let mut findings = groups.iter().filter_map(|group| group.ruling.finding());
    if findings.any(|finding| Finding::counts(&finding)) {
        EXIT_FINDINGS
    } else {
        0
    }
}

/// A number of seconds.
fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}
