//! Values of the wrong type, and what is missing.

use super::{assert_reported, changed, with};

#[test]
fn reports_a_string_where_a_list_belongs() {
    assert_reported(
        &changed(r#"["RM-2"]"#, r#""RM-2""#),
        r#"
error: `because`: got a string, expected a list of strings
  --> some.toml:16:11
   |
16 | because = "RM-2"
   |           ^^^^^^ expected a list of strings
"#,
    );
}

#[test]
fn reports_a_list_where_a_string_belongs() {
    assert_reported(
        &changed(r#"= "default""#, r#"= ["default"]"#),
        r#"
error: `cipher`: got an array, expected a string
 --> some.toml:9:10
  |
9 | cipher = ["default"]
  |          ^^^^^^^^^^^ expected a string
"#,
    );
}

#[test]
fn reports_a_number_in_a_list() {
    assert_reported(
        &changed(r#"["RM-2"]"#, r#"["RM-2", 3]"#),
        r#"
error: `because[1]`: got an integer, expected a string
  --> some.toml:16:20
   |
16 | because = ["RM-2", 3]
   |                    ^ expected a string
"#,
    );
}

#[test]
fn reports_a_number_where_true_or_false_belongs() {
    assert_reported(
        &changed("certificate_request = false", "certificate_request = 0"),
        r#"
error: `certificate_request`: got an integer, expected true, false, "on-flag" or "any"
  --> some.toml:13:23
   |
13 | certificate_request = 0
   |                       ^ expected true, false, "on-flag" or "any"
"#,
    );
}

#[test]
fn reports_a_value_where_a_table_belongs() {
    assert_reported(
        &changed(
            r#"when = { "server.policy" = "never" }"#,
            r#"when = "never""#,
        ),
        r#"
error: `when`: got a string, expected a table
  --> some.toml:12:8
   |
12 | when = "never"
   |        ^^^^^^^ expected a table
"#,
    );
}

#[test]
fn reports_one_table_where_several_belong() {
    assert_reported(
        &changed(
            r#"[setup]
cipher = "default""#,
            r#"[exclude]
reason = "x""#,
        ),
        r"
error: `exclude`: got a table, expected [[exclude]] tables
 --> some.toml:8:1
  |
8 | [exclude]
  | ^^^^^^^^^ expected [[exclude]] tables
",
    );
}

#[test]
fn reports_a_blank_text() {
    assert_reported(
        &changed("A flag that no server looks at", "  "),
        r#"
error: `title` is empty
 --> some.toml:1:9
  |
1 | title = "  "
  |         ^^^^ expected some text
"#,
    );
}

#[test]
fn reports_an_empty_list() {
    assert_reported(
        &changed(r#"["RM-2"]"#, "[]"),
        r"
error: `because` is an empty list
  --> some.toml:16:11
   |
16 | because = []
   |           ^^ expected at least one string
",
    );
}

#[test]
fn reports_a_duplicate_value() {
    assert_reported(
        &changed(r#"["unset", "set"]"#, r#"["unset", "set", "unset"]"#),
        r#"
error: `unset` occurs twice in `client.flag`
 --> some.toml:5:34
  |
5 | "client.flag" = ["unset", "set", "unset"]
  |                  -------         ^^^^^^^ expected each once
  |                  |
  |                  first here
"#,
    );
}

#[test]
fn reports_a_duplicate_key() {
    assert_reported(
        &changed("document =", "title ="),
        r#"
error: not TOML: duplicate key
 --> some.toml:2:1
  |
2 | title = "RFC 9846"
  | ^^^^^ here
"#,
    );
}

#[test]
fn reports_a_syntax_error() {
    assert_reported(
        &changed("[axes]", "[axes"),
        r"
error: not TOML: unclosed table, expected `]`
 --> some.toml:4:6
  |
4 | [axes
  |      ^ here
",
    );
}

#[test]
fn reports_a_missing_key() {
    assert_reported(
        &changed(
            r#"document = "RFC 9846"
"#,
            "",
        ),
        r#"
error: no `document`
 --> some.toml:1:1
  |
1 | title = "A flag that no server looks at"
  | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ in this file
  |
  = note: a scenario has `title`, `document`, [axes] and at least one [[expect]]
"#,
    );
}

#[test]
fn reports_a_table_of_axes_that_is_empty() {
    assert_reported(
        &changed(
            r#""client.flag" = ["unset", "set"]
"server.policy" = ["never", "request"]
"#,
            "",
        ),
        r"
error: no axes
 --> some.toml:4:1
  |
4 | [axes]
  | ^^^^^^ expected at least one axis with its values
",
    );
}

#[test]
fn reports_an_expectation_without_because() {
    assert_reported(
        &changed(
            r#"because = ["RM-2"]
"#,
            "",
        ),
        r"
error: no `because`
  --> some.toml:11:1
   |
11 | [[expect]]
   | ^^^^^^^^^^ expected the requirements that it follows from
",
    );
}

#[test]
fn reports_an_exclusion_without_reason() {
    assert_reported(
        &with(
            r#"
[[exclude]]
when = { "client.flag" = "set" }
"#,
        ),
        r"
error: no `reason` in this exclusion
  --> some.toml:25:1
   |
25 | [[exclude]]
   | ^^^^^^^^^^^ expected which combinations to leave out, and why
",
    );
}

#[test]
fn reports_a_string_where_true_or_false_belongs() {
    assert_reported(
        &changed("title", "sweep = \"yes\"\ntitle"),
        r#"
error: `sweep`: got a string, expected true or false
 --> some.toml:1:9
  |
1 | sweep = "yes"
  |         ^^^^^ expected true or false
"#,
    );
}

#[test]
fn counts_every_element_of_a_list() {
    assert_reported(
        &changed(r#"["RM-2"]"#, r#"["RM-2", "RM-2", 3]"#),
        r#"
error: `RM-2` occurs twice in `because`
  --> some.toml:16:20
   |
16 | because = ["RM-2", "RM-2", 3]
   |            ------  ^^^^^^ expected each once
   |            |
   |            first here

error: `because[2]`: got an integer, expected a string
  --> some.toml:16:28
   |
16 | because = ["RM-2", "RM-2", 3]
   |                            ^ expected a string
"#,
    );
}
