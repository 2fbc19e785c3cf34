//! `docs/reference.md`: made of the schemas and tables by which the program reads, writes and answers.

use std::fmt::Write;

use serde_json::{Map, Value};

use crate::check_peer::capabilities;
use crate::command::EXIT_CODES;
use crate::scenario::schema;

const HEAD: &str = "\
<!-- Made of the schemas and tables of the program: INSTA_UPDATE=always cargo test --lib reference -->

# Reference

";

/// The page.
fn page() -> String {
    let mut out = HEAD.to_owned();
    // A String takes whatever is written to it.
    let _ = write!(
        out,
        "## Scenario files\n\nA [tutorial](add-a-scenario.md) writes one. What of keys refers to another table links there.\n\n"
    );
    objects(&mut out, &schema());
    let capabilities: Vec<_> = capabilities()
        .into_iter()
        .map(|(name, about)| [code(&name), about.to_owned()])
        .collect();
    let _ = write!(
        out,
        "## Capabilities\n\nWhat a peer may say that it can do ([how](../peers/README.md#capabilities-and-whose-behaviour-they-show)).\n\n"
    );
    rows(&mut out, ["capability", "what it is"], &capabilities);
    let codes = EXIT_CODES.map(|(code, meaning)| [code.to_string(), meaning.to_owned()]);
    let _ = write!(out, "## Exit codes\n\n");
    rows(&mut out, ["exit code", "meaning"], &codes);
    out
}

/// Every object of a schema, and every value that is defined for several.
fn objects(out: &mut String, schema: &Value) {
    properties(out, schema, schema);
    for (name, of) in entries(schema, "properties") {
        if of.pointer("/items/properties").is_some() {
            let _ = write!(out, "### `[[{name}]]`\n\n{}\n\n", about(of));
            properties(out, &of["items"], schema);
        }
    }
    for (name, of) in entries(schema, "definitions").filter(|(_, of)| is_described(of)) {
        let _ = write!(out, "### {name}\n\n{}\n\n", about(of));
        let words: Vec<_> = words(of)
            .into_iter()
            .map(|(name, about)| [code(name), about.to_owned()])
            .collect();
        if !words.is_empty() {
            rows(out, ["value", "what it is"], &words);
        }
    }
}

/// The keys of an object of a schema.
fn properties(out: &mut String, object: &Value, schema: &Value) {
    let required = object["required"].as_array();
    let keys = entries(object, "properties").map(|(name, of)| {
        let is_required = required.is_some_and(|all| all.iter().any(|it| it == name));
        let mut value = about(of).to_owned();
        if is_truth(of)
            || of["anyOf"]
                .as_array()
                .is_some_and(|any| any.iter().any(is_truth))
        {
            value.push_str(" `true` or `false`.");
        }
        for (word, about) in words(of) {
            let _ = write!(value, "<br>{}: {about}", code(word));
        }
        let mut defined = Vec::new();
        references(of, &mut defined);
        defined.retain(|name| is_described(&schema["definitions"][name]));
        if let [one] = defined[..] {
            let _ = write!(value, " [{one}](#{})", one.replace('.', ""));
        }
        let required = if is_required { "required" } else { "" };
        [code(name), required.to_owned(), value.trim().to_owned()]
    });
    let keys: Vec<_> = keys.collect();
    rows(out, ["key", "", "value"], &keys);
}

fn rows<const N: usize>(out: &mut String, head: [&str; N], rows: &[[String; N]]) {
    let rule = ["---"; N].join(" | ");
    let _ = writeln!(out, "| {} |\n| {rule} |", head.join(" | "));
    for row in rows {
        let _ = writeln!(out, "| {} |", row.join(" | "));
    }
    let _ = writeln!(out);
}

fn entries<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value[key].as_object().into_iter().flat_map(Map::iter)
}

fn about(value: &Value) -> &str {
    value["description"].as_str().unwrap_or_default()
}

fn code(name: &str) -> String {
    format!("`{name}`")
}

/// Whether there is something to say of what is defined.
fn is_described(value: &Value) -> bool {
    !about(value).is_empty() || !words(value).is_empty()
}

fn is_truth(value: &Value) -> bool {
    value["type"] == "boolean"
}

/// The words that a value may be, each once, with what they mean.
fn words(value: &Value) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let parts = ["anyOf", "items"]
        .into_iter()
        .filter_map(|key| value.get(key));
    for part in parts.flat_map(|part| {
        part.as_array()
            .map_or(std::slice::from_ref(part), Vec::as_slice)
    }) {
        let own = part["const"].as_str().map(|word| (word, about(part)));
        for word in own.into_iter().chain(words(part)) {
            if !found.contains(&word) {
                found.push(word);
            }
        }
    }
    found
}

/// What it refers to, each once.
fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    let own = value["$ref"].as_str();
    if let Some(name) = own.and_then(|it| it.strip_prefix("#/definitions/"))
        && !found.contains(&name)
    {
        found.push(name);
    }
    match value {
        Value::Object(all) => all.values().for_each(|it| references(it, found)),
        Value::Array(all) => all.iter().for_each(|it| references(it, found)),
        _ => {}
    }
}

#[test]
fn the_page_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference.md");
    if std::env::var_os("INSTA_UPDATE").is_some_and(|it| it == "always") {
        std::fs::write(path, page()).expect(path);
    }
    let committed = std::fs::read_to_string(path).expect(path);
    assert!(
        committed == page(),
        "not current: INSTA_UPDATE=always cargo test --lib reference"
    );
}
