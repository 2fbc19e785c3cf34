//! Any line is read as each type of the contract or refused; what was read and written reads the same,
//! and no key of a line is ignored.
#![no_main]

use std::fmt::Debug;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use libfuzzer_sys::fuzz_target;
use reqmtls_contract::{
    Answer, Ask, ConnectionReport, Description, Hex, Job, Open, PrepareError, Reply, Report,
    offers_tls13, read_line, write_line,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

fuzz_target!(|octets: &[u8]| {
    line::<Open>(octets);
    line::<Ask>(octets);
    line::<Reply>(octets);
    line::<Description>(octets);
    line::<Report>(octets);
    line::<ConnectionReport>(octets);
    line::<Answer>(octets);
    line::<Job>(octets);
    if let Ok(value) = serde_json::from_slice::<Value>(octets) {
        hex(&value);
        job(&value);
    }
    let _ = offers_tls13(octets);
});

/// Reads one line as a `T` and holds the value against what stands in the line.
fn line<T: Serialize + DeserializeOwned + PartialEq + Debug>(octets: &[u8]) {
    let mut rest = octets;
    let end = octets.iter().position(|&octet| octet == b'\n');
    match at_once(read_line::<T>(&mut rest)) {
        Ok(None) => assert!(octets.is_empty()),
        Ok(Some(value)) => {
            let end = end.expect("a line has an end");
            assert_eq!(rest, &octets[end + 1..], "more was read than a line");
            let stood: Value = serde_json::from_slice(&octets[..end]).expect("a line is JSON");
            if !has_float(&stood) {
                survives(&value, &stood);
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn survives<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T, stood: &Value) {
    let mut written = Vec::new();
    at_once(write_line(&mut written, value)).expect("a vector takes every line");
    assert_eq!(
        written.iter().position(|&octet| octet == b'\n'),
        Some(written.len() - 1)
    );
    let again = at_once(read_line::<T>(&mut &written[..])).expect("a line that was written");
    assert_eq!(again.as_ref(), Some(value));
    let written = serde_json::to_value(value).expect("JSON of a value");
    assert!(holds(&written, stood), "{written} {stood}");
}

/// Whether everything that stood in a line is in what was read from it. Hexadecimal is written in lower
/// case, and what is null or an empty list may be left out.
fn holds(read: &Value, stood: &Value) -> bool {
    match (read, stood) {
        (Value::Object(read), Value::Object(stood)) => stood.iter().all(|(key, value)| {
            let empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
            read.get(key).map_or(empty, |read| holds(read, value))
        }),
        (Value::Array(read), Value::Array(stood)) => {
            read.len() == stood.len()
                && read
                    .iter()
                    .zip(stood)
                    .all(|(read, value)| holds(read, value))
        }
        (Value::String(read), Value::String(stood)) => read.eq_ignore_ascii_case(stood),
        // Within a line, serde also reads a list of the values of a struct, and an object as a word.
        (Value::Object(_), Value::Array(_)) | (Value::String(_), Value::Object(_)) => true,
        (read, stood) => read == stood,
    }
}

/// A number that the JSON library need not read as it was written.
fn has_float(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_float),
        Value::Object(entries) => entries.values().any(has_float),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

fn hex(value: &Value) {
    if let Ok(octets) = Hex::deserialize(value) {
        let text = value.as_str().expect("hexadecimal is text");
        assert_eq!(octets.to_string(), text.to_ascii_lowercase());
        assert_eq!(2 * octets.0.len(), text.len());
    }
}

fn job(value: &Value) {
    match Job::from_value(value) {
        Ok(job) => {
            let written = serde_json::to_value(&job).expect("JSON of a job");
            assert_eq!(Job::from_value(&written), Ok(job.clone()));
            assert!(job.needs().contains(&job.side.to_string()));
        }
        Err(PrepareError::Unsupported(capability)) => assert!(!capability.is_empty()),
        Err(PrepareError::Invalid(message)) => assert!(message.starts_with("malformed job: ")),
    }
}

/// The outcome of something that never has to wait: octets in memory are always there.
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("octets in memory are always there"),
    }
}
