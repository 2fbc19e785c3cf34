//! The JSON Schema of scenario files, by which editors complete and check them.

use reqmtls_contract::Revision;
use serde_json::{Map, Value, json};

use super::file::{EXCLUDE_KEYS, EXPECT_KEYS, KEYS, REQUIRED};
use super::{ALERTS, AXES, Axis, Choice, End, Outcome, Requested, Word};
use crate::conformance::requirement::{self, Document};

/// The schema, made of the same registries by which files are read.
///
/// It knows every key, axis, value, alert, document and requirement. What it cannot
/// say is told by the loader: that cases are covered, once and without contradiction.
#[must_use]
pub fn schema() -> Value {
    let properties = KEYS.map(|key| (key.to_owned(), key_of_scenario(key)));
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A scenario of reqmtls",
        "type": "object",
        "additionalProperties": false,
        "required": REQUIRED,
        "properties": Map::from_iter(properties),
    })
}

/// The schema as it stands in `scenarios/scenario.schema.json`.
#[must_use]
pub fn schema_text() -> String {
    format!("{:#}\n", schema())
}

fn key_of_scenario(key: &str) -> Value {
    match key {
        "title" => described("What the scenario shows, in one line.", text()),
        "document" => {
            let titles = Document::ALL
                .iter()
                .map(|paper| json!({ "const": paper.title() }));
            described("The document that it tests.", any_of(titles))
        }
        "about" => described("More about it.", text()),
        "revision" => {
            let about = "The revision of the flag under which it holds, or several. Default: rm.";
            described(
                about,
                one_or_more(&any_of(
                    Revision::ALL
                        .iter()
                        .map(|it| json!({ "const": it.as_str() })),
                )),
            )
        }
        "misbehaving" => described(
            "The end that breaks rules: always the in-tree rustls implementation.",
            any_of(End::WORDS.iter().map(word)),
        ),
        "axes" => described(
            "What it varies. Every combination of the values is a case.",
            table_of_axes(|axis| list(&values(axis))),
        ),
        "setup" => described("What is the same in every case.", {
            let mut table = table_of_axes(values);
            table["minProperties"] = json!(0);
            table
        }),
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
                "when" => when(),
                _ => described("Why they make none.", text()),
            },
        ),
        _ => Value::Bool(true),
    }
}

fn key_of_expect(key: &str) -> Value {
    let truth = json!({ "type": "boolean" });
    match key {
        "when" => when(),
        "certificate_request" => described(
            "Whether the server sends CertificateRequest in the main handshake.",
            json!({ "anyOf": [truth, any_of(Requested::WORDS.iter().map(word))] }),
        ),
        "outcome" => described(
            "How the connection may end.",
            one_or_more(&any_of(Outcome::WORDS.iter().map(word))),
        ),
        "refused_by" => described(
            "The end that may refuse. Default: server.",
            any_of(End::WORDS.iter().map(word)),
        ),
        "resumed" => described("Whether the connection resumes a session.", truth),
        "breaks" => described(
            "The requirements that the misbehaving end breaks, and is to be caught at.",
            list(&requirement_ids()),
        ),
        "alert" => {
            let names = ALERTS.iter().map(|alert| {
                json!({ "const": alert.name, "description": format!("Alert {}.", alert.code) })
            });
            let about = "The alerts by which it may be refused.";
            described(about, list(&any_of(names)))
        }
        "authenticated" => described(
            "Whether the server authenticates the client.",
            json!({ "anyOf": [truth, { "const": "any", "description": "It may or may not." }] }),
        ),
        "because" => described(
            "The requirements it follows from.",
            list(&requirement_ids()),
        ),
        "note" => described("A remark.", text()),
        _ => Value::Bool(true),
    }
}

fn requirement_ids() -> Value {
    any_of(requirement::all().iter().map(|row| {
        let about = format!("{}: {}.", row.citation(), row.statement);
        json!({ "const": row.id, "description": about })
    }))
}

fn when() -> Value {
    let mut table = table_of_axes(|axis| one_or_more(&values(axis)));
    table["minProperties"] = json!(0);
    described("The cases that it is about. Every case, if empty.", table)
}

fn table_of_axes(schema_of: impl Fn(&Axis) -> Value) -> Value {
    let property = |axis: &Axis| {
        let about = format!("{} Default: {}.", axis.about, axis.default);
        (axis.name.to_owned(), described(&about, schema_of(axis)))
    };
    json!({
        "type": "object",
        "additionalProperties": false,
        "minProperties": 1,
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

fn values(axis: &Axis) -> Value {
    any_of(axis.values.iter().map(word))
}

fn word(word: &Word) -> Value {
    json!({ "const": word.name, "description": word.about })
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

fn text() -> Value {
    json!({ "type": "string", "pattern": "\\S" })
}

fn described(about: &str, schema: Value) -> Value {
    let mut described = json!({ "description": about });
    if let (Value::Object(all), Value::Object(more)) = (&mut described, schema) {
        all.extend(more);
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
            "scenarios/scenario.schema.json is not what scenario::schema_text() gives"
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
            let properties = &schema()["properties"]["axes"]["properties"][axis.name];
            let values = properties["items"]["anyOf"].as_array().unwrap();
            assert_eq!(values.len(), axis.values.len(), "{}", axis.name);
        }
    }
}
