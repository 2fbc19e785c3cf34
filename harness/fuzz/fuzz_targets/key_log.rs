//! Any key log is read or refused with the line at fault, and one that was read and written reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use reqmtls_observer::{KeyLog, KeyLogError, Octets32};

fuzz_target!(|text: &str| {
    match KeyLog::parse(text) {
        Ok(log) => survives(&log),
        Err(error) => names_the_first_bad_line(text, &error),
    }
});

fn survives(log: &KeyLog) {
    let written = log.to_string();
    assert_eq!(KeyLog::parse(&written).as_ref(), Ok(log));
    assert_eq!(log.is_empty(), written.is_empty());
    let mut merged = log.clone();
    merged.merge(log.clone());
    assert_eq!(&merged, log);
    for line in written.lines() {
        let random = line
            .split(' ')
            .nth(1)
            .and_then(|random| hex::decode(random).ok());
        let random = random.and_then(|random| random.try_into().ok());
        let random = Octets32(random.expect("a client random in each line"));
        assert_eq!(KeyLog::compare(log, log, random), []);
        let missing = KeyLog::compare(log, &KeyLog::default(), random).len();
        assert!((1..=written.lines().count()).contains(&missing));
    }
}

fn names_the_first_bad_line(text: &str, error: &KeyLogError) {
    let lines: Vec<&str> = text.lines().collect();
    assert!((1..=lines.len()).contains(&error.line), "{error}");
    let before = lines[..error.line - 1].join("\n");
    assert!(KeyLog::parse(&before).is_ok(), "{error}");
    let message = error.to_string();
    assert!(!message.chars().any(char::is_control), "{message:?}");
}
