//! The JSON Schema of scenario files, by which editors complete and check them.

use reqmtls_contract::Revision;
use reqmtls_vocabulary::{AlertDescription, Side};
use serde_json::{Map, Value, json};

use super::expectation::{EXCLUDE_KEYS, EXPECT_KEYS, OUTCOMES, REQUESTED_WORDS};
use super::file::{KEYS, REQUIRED};
use super::{AXES, Axis, Pairings};
use crate::judge::requirement::{self, Document};

/// The schema, made of the same tables by which files are read. What several places share is defined once.
///
/// It has every key, axis, value, alert, document and requirement. Only the loader reports what it cannot
/// express, such as cases that no expectation covers.
#[must_use]
pub fn schema() -> Value {
    let properties = KEYS.map(|key| (key.to_owned(), key_of_scenario(key)));
    let mut definitions: Map<String, Value> = AXES
        .iter()
        .map(|axis| {
            let needs = axis.needs.as_ref();
            let needs = needs.map_or_else(String::new, |need| format!(" Needs {}.", need.axis));
            let about = format!("{} Default: {}.{needs}", axis.about, axis.default().name);
            let values = axis
                .values
                .iter()
                .map(|value| word(value.name, value.about));
            (axis.name.to_owned(), described(&about, any_of(values)))
        })
        .collect();
    let when = described(
        "The cases that it is about. Every case, if empty.",
        table_of_axes(0, one_or_more),
    );
    let ids = requirement::all()
        .map(|row| word(row.id, &format!("{}: {}.", row.citation(), row.statement)));
    let alerts = AlertDescription::KNOWN
        .iter()
        .map(|alert| word(&alert.to_string(), &format!("Alert {}.", alert.0)));
    definitions.extend([
        ("when".to_owned(), when),
        ("requirements".to_owned(), list(&any_of(ids))),
        ("alerts".to_owned(), list(&any_of(alerts))),
        (
            "text".to_owned(),
            json!({ "type": "string", "pattern": "\\S" }),
        ),
        (
            "side".to_owned(),
            any_of(Side::ALL.iter().map(|it| word(it.as_str(), it.about()))),
        ),
    ]);
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A scenario of reqmtls",
        "type": "object",
        "additionalProperties": false,
        "required": REQUIRED,
        "properties": Map::from_iter(properties),
        "definitions": definitions,
    })
}

/// The schema as it stands in `scenarios/scenario.schema.json`.
#[must_use]
pub fn schema_text() -> String {
    format!("{:#}\n", schema())
}

fn key_of_scenario(key: &str) -> Value {
    match key {
        "title" => described("What the scenario shows, in one line.", shared("text")),
        "document" => {
            let titles = Document::ALL.iter().map(|it| word(it.title(), it.about()));
            described("The document that it tests.", any_of(titles))
        }
        "about" => described("More about it.", shared("text")),
        "revision" => described(
            "The revision of the flag under which it holds, or several. Default: draft-02.",
            one_or_more(&any_of(
                Revision::ALL.iter().map(|it| word(it.as_str(), it.about())),
            )),
        ),
        "misbehaving" => described(
            "The end that deliberately misbehaves, or both. Such an end is a peer that can do it.",
            one_or_more(&shared("side")),
        ),
        "pairings" => described(
            "Who runs against whom. Default: every.",
            any_of(Pairings::ALL.iter().map(|it| word(it.as_str(), it.about()))),
        ),
        "sweep" => described(
            "Whether the client's edit goes through the flags from 0 to 255 and from 2032 to 2039, a connection each.",
            json!({ "type": "boolean" }),
        ),
        "axes" => described(
            "What it varies. Every combination of the values is a case.",
            table_of_axes(1, list),
        ),
        "setup" => described(
            "What is the same in every case.",
            table_of_axes(0, Value::clone),
        ),
        "expect" => tables(
            "What is expected of the cases that meet the conditions.",
            &EXPECT_KEYS,
            &["because"],
            key_of_expect,
        ),
        "exclude" => tables(
            "Combinations that make no sense.",
            &EXCLUDE_KEYS,
            &EXCLUDE_KEYS,
            |key| match key {
                "when" => shared("when"),
                _ => described("Why they make none.", shared("text")),
            },
        ),
        _ => Value::Bool(true),
    }
}

fn key_of_expect(key: &str) -> Value {
    let truth = json!({ "type": "boolean" });
    let truth_or = |words: Vec<Value>| json!({ "anyOf": [truth, any_of(words.into_iter())] });
    match key {
        "when" => shared("when"),
        "certificate_request" => {
            let words = REQUESTED_WORDS.iter();
            let words = words.map(|it| word(it.as_str(), it.about()));
            described(
                "Whether the server sends CertificateRequest in the main handshake.",
                truth_or(words.collect()),
            )
        }
        "outcome" => {
            let outcomes = OUTCOMES.iter().map(|it| word(it.as_str(), it.about()));
            described(
                "How the connection may end.",
                one_or_more(&any_of(outcomes)),
            )
        }
        "refused_by" => described("The end that may refuse. Default: server.", shared("side")),
        "resumed" => described("Whether the connection resumes a session.", truth),
        "violates" => described(
            "The requirements that misbehaving ends violate. The harness has to find exactly these.",
            shared("requirements"),
        ),
        "alert" => described("The alerts by which it may be refused.", shared("alerts")),
        "authenticated" => described(
            "Whether the server authenticates the client.",
            truth_or(vec![word("any", "It may or may not.")]),
        ),
        "because" => described("The requirements it follows from.", shared("requirements")),
        "note" => described("A remark.", shared("text")),
        _ => Value::Bool(true),
    }
}

fn table_of_axes(least: usize, schema_of: impl Fn(&Value) -> Value) -> Value {
    let property = |axis: &Axis| (axis.name.to_owned(), schema_of(&shared(axis.name)));
    json!({
        "type": "object",
        "additionalProperties": false,
        "minProperties": least,
        "properties": AXES.iter().map(property).collect::<Map<_, _>>(),
    })
}

fn tables(about: &str, keys: &[&str], required: &[&str], schema_of: fn(&str) -> Value) -> Value {
    let properties = keys.iter().map(|key| ((*key).to_owned(), schema_of(key)));
    json!({
        "description": about,
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "additionalProperties": false,
            "required": required,
            "properties": properties.collect::<Map<_, _>>(),
        },
    })
}

fn shared(name: &str) -> Value {
    json!({ "$ref": format!("#/definitions/{name}") })
}

fn word(name: &str, about: &str) -> Value {
    json!({ "const": name, "description": about })
}

fn any_of(schemas: impl Iterator<Item = Value>) -> Value {
    json!({ "anyOf": schemas.collect::<Vec<_>>() })
}

fn one_or_more(item: &Value) -> Value {
    json!({ "anyOf": [item, list(item)] })
}

fn list(item: &Value) -> Value {
    json!({ "type": "array", "minItems": 1, "uniqueItems": true, "items": item })
}

/// A schema with a description. What stands beside `$ref` is ignored, so that one goes into `allOf`.
fn described(about: &str, schema: Value) -> Value {
    let mut described = json!({ "description": about });
    if let (Value::Object(all), Value::Object(more)) = (&mut described, schema) {
        if more.contains_key("$ref") {
            all.insert("allOf".to_owned(), json!([more]));
        } else {
            all.extend(more);
        }
    }
    described
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_beside_the_scenarios_is_current() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../scenarios/scenario.schema.json"
        );
        let committed = std::fs::read_to_string(path).unwrap();
        assert!(
            committed == schema_text(),
            "not current: reqmtls schema > scenarios/scenario.schema.json"
        );
    }

    #[test]
    fn every_key_has_a_schema() {
        for key in KEYS {
            assert!(key_of_scenario(key).is_object(), "{key}");
        }
        for key in EXPECT_KEYS {
            assert!(key_of_expect(key).is_object(), "{key}");
        }
    }

    #[test]
    fn every_axis_lists_its_values() {
        for axis in AXES {
            let values = schema()["definitions"][axis.name]["anyOf"].clone();
            let values = values.as_array().unwrap();
            assert_eq!(values.len(), axis.values.len(), "{}", axis.name);
        }
    }
}
