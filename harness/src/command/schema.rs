//! `reqmtls schema`: the JSON Schemas of what people and programs read and write.

use std::io::{self, Write};
use std::str::FromStr;

use clap::Args;
use reqmtls_vocabulary::words;

use crate::report::result_schema;
use crate::scenario::schema_text;

words! {
    /// Of what there is a schema.
    enum Subject {
        /// Scenario files, with every axis and its values.
        Scenario = "scenario",
        /// The lines of result.jsonl.
        Result = "result",
    }
}

/// Arguments of `schema`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Of what: scenario files, or result (the lines of result.jsonl)
    #[arg(default_value_t = Subject::Scenario, value_parser = Subject::from_str)]
    subject: Subject,
}

/// Writes it to stdout.
pub(super) fn obey(arguments: &Arguments) -> anyhow::Result<u8> {
    let text = match arguments.subject {
        Subject::Scenario => schema_text(),
        Subject::Result => result_schema(),
    };
    io::stdout().write_all(text.as_bytes())?;
    Ok(0)
}
