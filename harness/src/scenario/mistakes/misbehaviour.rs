//! Ends that misbehave and are not declared to, or the reverse; requirements that no such end can violate.

use super::{SOUND, assert_reported, changed, reported, set, with};

#[test]
fn reports_an_end_that_misbehaves_and_is_not_declared_to() {
    assert_reported(
        &set("", r#""client.edit.message" = "client-hello""#),
        r"
error: the client misbehaves in some/unset/never, some/unset/request, some/set/never and 1 more
 --> some.toml:4:1
  |
4 | [axes]
  | ^^^^^^ expected that `misbehaving` names the client
",
    );
}

#[test]
fn reports_an_end_that_is_declared_to_misbehave_and_does_not() {
    assert_reported(
        &changed("title", "misbehaving = \"server\"\ntitle"),
        r#"
error: the server misbehaves in no case
 --> some.toml:1:15
  |
1 | misbehaving = "server"
  |               ^^^^^^^^ expected a value by which it does, in [axes] or [setup]
"#,
    );
}

#[test]
fn reports_a_violation_where_no_end_misbehaves() {
    assert_reported(
        &with(
            r#"
[[expect]]
when = { "client.flag" = "set" }
violates = ["TF-1"]
because = ["TF-1"]
"#,
        ),
        r#"
error: no misbehaving end can violate `TF-1` in some/set/never, some/set/request
  --> some.toml:27:13
   |
27 | violates = ["TF-1"]
   |             ^^^^^^ it binds the client and the server
"#,
    );
}

#[test]
fn reports_a_violation_that_only_the_other_end_can_commit() {
    let text = SOUND
        .replace("title", "misbehaving = \"server\"\ntitle")
        .replace(
            r#"cipher = "default""#,
            r#""server.edit.message" = "certificate""#,
        )
        .replace(
            r#"because = ["TLS-4"]"#,
            r#"violates = ["TLS-7", "TF-5", "TF-13"]
because = ["TLS-4"]"#,
        );
    assert_reported(
        &reported(&text),
        r#"
error: no misbehaving end can violate `TF-5` in some/unset/request, some/set/request
  --> some.toml:24:22
   |
24 | violates = ["TLS-7", "TF-5", "TF-13"]
   |                      ^^^^^^ it binds the client

error: no misbehaving end can violate `TF-13` in some/unset/request, some/set/request
  --> some.toml:24:30
   |
24 | violates = ["TLS-7", "TF-5", "TF-13"]
   |                              ^^^^^^^ it binds no end
"#,
    );
}

#[test]
fn reports_a_requirement_that_does_not_apply_under_the_revision() {
    assert_reported(
        &changed(r#"["TLS-4"]"#, r#"["TLS-4", "RCA-2"]"#),
        r#"
error: `RCA-2` does not apply under draft-02
  --> some.toml:23:21
   |
23 | because = ["TLS-4", "RCA-2"]
   |                     ^^^^^^^ expected a requirement of a document that this file's revision follows
"#,
    );
}

#[test]
fn reports_a_violation_that_does_not_apply_under_each_revision() {
    let text = SOUND
        .replace("title", "misbehaving = \"server\"\ntitle")
        .replace(
            "[axes]",
            "revision = [\"draft-02\", \"editors-copy\"]\n[axes]",
        )
        .replace(
            r#"cipher = "default""#,
            r#""server.edit.message" = "certificate""#,
        )
        .replace(
            r#"because = ["TLS-4"]"#,
            r#"violates = ["TLS-7", "RM-4"]
because = ["TLS-4"]"#,
        );
    assert_reported(
        &reported(&text),
        r#"
error: `RM-4` does not apply under editors-copy
  --> some.toml:25:22
   |
25 | violates = ["TLS-7", "RM-4"]
   |                      ^^^^^^ expected a requirement of a document that this file's revision follows
"#,
    );
}
