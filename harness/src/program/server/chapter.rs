//! The servers' part of the chapter.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use super::result::{Row, Server};
use crate::judge::requirement::Id;
use crate::program::chapter::escaped;

const INTRODUCTION: &str = "\
Each server under each policy that it has, probed by `reqmtls probe`: *off*, *optional* (it asks everyone and goes on
without), *required*. A client that is asked has no certificate, one that fits, or one of another authority. *Flags*: what
changes when ClientHello carries the request flag, flags that are not assigned, or malformed `tls_flags`.
";

/// What servers do, and what they violate.
pub(in crate::program) fn servers(out: &mut String, servers: &[Server]) -> fmt::Result {
    if servers.is_empty() {
        return Ok(());
    }
    writeln!(out, "## Servers\n\n{INTRODUCTION}")?;
    words(out, servers)?;
    writeln!(
        out,
        "| server | version | policy | asks | no certificate | one that fits | of another authority | flags |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- |"
    )?;
    for server in servers {
        for row in &server.rows {
            let or_none =
                |text: &Option<String>| text.as_deref().map_or_else(|| "–".to_owned(), escaped);
            writeln!(
                out,
                "| {} | {} | {} | {} | {} | {} | {} | {} |",
                server.title,
                escaped(&server.version),
                row.policy,
                row.asks.map_or("–", |asks| asks.as_str()),
                absent(row),
                or_none(&row.fits),
                or_none(&row.other),
                if row.flags_change_something {
                    "change something"
                } else {
                    "change nothing"
                }
            )?;
        }
    }
    writeln!(out)?;
    for server in servers {
        if let Some(note) = &server.note {
            writeln!(out, "* {}: {note}", server.title)?;
        }
    }
    violations(out, servers)?;
    writeln!(out)
}

/// Each requirement that is violated, once, with the servers and the policies under which they do.
fn violations(out: &mut String, servers: &[Server]) -> fmt::Result {
    let mut violated: BTreeMap<Id, Vec<String>> = BTreeMap::new();
    for server in servers {
        let mut policies: BTreeMap<Id, Vec<&str>> = BTreeMap::new();
        for row in &server.rows {
            for id in &row.violates {
                policies.entry(*id).or_default().push(row.policy.as_str());
            }
        }
        for (id, policies) in policies {
            let who = format!("{} ({})", server.title, policies.join(", "));
            violated.entry(id).or_default().push(who);
        }
    }
    for (id, who) in violated {
        let requirement = id.get();
        writeln!(
            out,
            "* {id}, {}: {}. Violated by {}",
            requirement.citation(),
            requirement.statement,
            who.join(", ")
        )?;
    }
    Ok(())
}

/// How a client without a certificate is taken, and what it is answered where it was to be refused.
fn absent(row: &Row) -> String {
    use super::manifest::Policy;
    let Some(absent) = &row.absent else {
        return "–".to_owned();
    };
    match &row.answer {
        Some(answer) if row.policy == Policy::Required => {
            format!(
                "{} and answers `{}`",
                escaped(absent),
                escaped(answer).replace('`', "'")
            )
        }
        _ => escaped(absent),
    }
}

/// What can be said of all of them.
fn words(out: &mut String, servers: &[Server]) -> fmt::Result {
    let changing = servers
        .iter()
        .filter(|server| server.rows.iter().any(|row| row.flags_change_something));
    let changing: Vec<_> = changing.map(|server| server.title.as_str()).collect();
    let count = servers.len();
    if changing.is_empty() {
        writeln!(
            out,
            "To none of these {count} servers do flags make a difference.\n"
        )
    } else {
        writeln!(
            out,
            "To {} of these {count} servers flags make a difference: {}.\n",
            changing.len(),
            changing.join(", ")
        )
    }
}
