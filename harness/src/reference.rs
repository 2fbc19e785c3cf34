//! `docs/reference.md`: made of the schemas and tables by which the program reads, writes and answers.

use std::fmt::Write;

use serde_json::{Map, Value};

use crate::check_peer::capabilities;
use crate::command::EXIT_CODES;
use crate::report::result_schema;
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
    let _ = write!(
        out,
        "## Results\n\nWhat a line of `result.jsonl` may be, after the first, which has `schema`.\n\n"
    );
    let results = serde_json::from_str(&result_schema()).expect("a schema is JSON");
    objects(&mut out, &results);
    let codes = EXIT_CODES.map(|(code, meaning)| [code.to_string(), meaning.to_owned()]);
    let _ = write!(out, "## Exit codes\n\n");
    rows(&mut out, ["exit code", "meaning"], &codes);
    out
}

/// Every object of a schema, and every value that is defined for several.
fn objects(out: &mut String, schema: &Value) {
    object(out, schema, schema);
    for (name, of) in entries(schema, "properties") {
        if of.pointer("/items/properties").is_some() {
            let _ = write!(out, "### `[[{name}]]`\n\n{}\n\n", about(of));
            object(out, &of["items"], schema);
        }
    }
    for (name, of) in definitions(schema).filter(|(_, of)| is_described(of)) {
        let _ = write!(out, "### {name}\n\n{}\n\n", about(of));
        object(out, of, schema);
    }
}

/// The words that a value may be, and the keys of an object.
fn object(out: &mut String, object: &Value, schema: &Value) {
    let words = words(object).into_iter();
    let words: Vec<_> = words.map(|(name, about)| [code(name), about]).collect();
    rows(out, ["value", "what it is"], &words);
    // Where keys are said to be others' names, as axes are, these say what they are.
    let is_said = entries(object, "properties").any(|(_, of)| !about(of).is_empty());
    let required = object["required"].as_array();
    let keys = entries(object, "properties")
        .filter(|_| is_said)
        .map(|(name, of)| {
            let is_required = required.is_some_and(|all| all.iter().any(|it| it == name));
            let required = if is_required { "required" } else { "" };
            [code(name), required.to_owned(), value(of, schema)]
        });
    let keys: Vec<_> = keys.collect();
    rows(out, ["key", "", "value"], &keys);
}

/// What the value of a key is, in a cell of a table.
fn value(of: &Value, schema: &Value) -> String {
    let mut value = about(of);
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
    let mut names = Vec::new();
    references(of, &mut names);
    names.retain(|name| definitions(schema).any(|(it, of)| it == name && is_described(of)));
    if let [one] = names[..] {
        let anchor = one.replace('.', "").to_lowercase();
        let _ = write!(value, " [{one}](#{anchor})");
    }
    value.trim().to_owned()
}

/// A table, if it has rows.
fn rows<const N: usize>(out: &mut String, head: [&str; N], rows: &[[String; N]]) {
    if rows.is_empty() {
        return;
    }
    let rule = ["---"; N].join(" | ");
    let _ = writeln!(out, "| {} |\n| {rule} |", head.join(" | "));
    for row in rows {
        let _ = writeln!(out, "| {} |", row.join(" | "));
    }
    let _ = writeln!(out);
}

fn definitions(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    entries(schema, "definitions").chain(entries(schema, "$defs"))
}

fn entries<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value[key].as_object().into_iter().flat_map(Map::iter)
}

/// Its description, in one line.
fn about(value: &Value) -> String {
    let text = value["description"].as_str().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
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

/// The words that a value may be, each once, with what they mean; of one that is an object, its key.
fn words(value: &Value) -> Vec<(&str, String)> {
    let mut found = Vec::new();
    let parts = ["anyOf", "oneOf", "items"].into_iter();
    let parts = parts.filter_map(|key| value.get(key)).flat_map(|part| {
        part.as_array()
            .map_or(std::slice::from_ref(part), Vec::as_slice)
    });
    for part in parts {
        let key = entries(part, "properties").next().map(|(key, _)| &**key);
        let own = part["const"]
            .as_str()
            .or(key.filter(|_| !about(part).is_empty()));
        for word in own
            .map(|word| (word, about(part)))
            .into_iter()
            .chain(words(part))
        {
            if !found.contains(&word) {
                found.push(word);
            }
        }
    }
    found
}

/// What it refers to, each once; not what its keys do.
fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    let own = value["$ref"].as_str().and_then(|it| it.rsplit('/').next());
    if let Some(name) = own.filter(|name| !found.contains(name)) {
        found.push(name);
    }
    match value {
        Value::Object(all) => {
            let own = all.iter().filter(|(key, _)| *key != "properties");
            own.for_each(|(_, it)| references(it, found));
        }
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
