//! Axes, values and sweeps that have no effect.

use super::{SOUND, assert_reported, changed, reported, set};

#[test]
fn reports_an_edit_that_is_set_while_no_message_is_edited() {
    assert_reported(
        &set("", r#""client.edit.value" = "all-zero""#),
        r#"
error: `client.edit.value` needs `client.edit.message`
 --> some.toml:9:1
  |
9 | "client.edit.value" = "all-zero"
  | ^^^^^^^^^^^^^^^^^^^ no case edits a message of the client
"#,
    );
}

#[test]
fn reports_an_edit_that_is_varied_while_no_message_is_edited() {
    assert_reported(
        &changed(
            r#""client.flag" = ["unset", "set"]"#,
            r#""server.edit.position" = ["in-place", "twice"]"#,
        ),
        r#"
error: `server.edit.position` needs `server.edit.message`
 --> some.toml:5:1
  |
5 | "server.edit.position" = ["in-place", "twice"]
  | ^^^^^^^^^^^^^^^^^^^^^^ no case edits a message of the server
"#,
    );
}

#[test]
fn reports_the_default_of_an_edit_while_no_message_is_edited() {
    assert_reported(
        &set(
            "",
            r#""client.edit.extension" = "tls-flags"
"client.edit.message" = "none""#,
        ),
        r#"
error: `client.edit.extension` needs `client.edit.message`
 --> some.toml:9:1
  |
9 | "client.edit.extension" = "tls-flags"
  | ^^^^^^^^^^^^^^^^^^^^^^^ no case edits a message of the client
"#,
    );
}

#[test]
fn reports_early_data_without_a_second_connection() {
    assert_reported(
        &set("", r#""client.early-data" = "sent""#),
        r#"
error: `client.early-data` needs `client.resumption`
 --> some.toml:9:1
  |
9 | "client.early-data" = "sent"
  | ^^^^^^^^^^^^^^^^^^^ no case has a second connection
"#,
    );
}

#[test]
fn reports_a_choice_of_sessions_without_a_second_connection() {
    assert_reported(
        &set("", r#""server.sessions" = "shared""#),
        r#"
error: `server.sessions` needs `client.resumption`
 --> some.toml:9:1
  |
9 | "server.sessions" = "shared"
  | ^^^^^^^^^^^^^^^^^ no case has a second connection
"#,
    );
}

#[test]
fn reports_a_certificate_with_a_defect_that_there_is_not_with_other_keys() {
    assert_reported(
        &set(
            "",
            r#""client.certificate" = "expired"
keys = "rsa""#,
        ),
        r#"
error: `client.certificate` with a defect needs `keys` = `p256`
 --> some.toml:9:1
  |
9 | "client.certificate" = "expired"
  | ^^^^^^^^^^^^^^^^^^^^ expected `absent`, `present` or `bad-signature` with other keys
  |
  = note: there is none for some/unset/never, some/unset/request, some/set/never and 1 more
"#,
    );
}

#[test]
fn reports_a_sweep_without_an_edit() {
    assert_reported(
        &changed("title", "sweep = true\ntitle"),
        r"
error: `sweep` needs `client.edit.message`
 --> some.toml:1:9
  |
1 | sweep = true
  |         ^^^^ expected an edit that puts `tls_flags` into ClientHello, in every case
  |
  = note: there is none in some/unset/never, some/unset/request, some/set/never and 1 more
",
    );
}

#[test]
fn reports_a_sweep_of_another_message() {
    assert_reported(
        &set(
            "misbehaving = \"client\"\nsweep = true\n",
            r#""client.edit.message" = "certificate""#,
        ),
        r"
error: `sweep` needs `client.edit.message`
 --> some.toml:2:9
  |
2 | sweep = true
  |         ^^^^ expected an edit that puts `tls_flags` into ClientHello, in every case
  |
  = note: there is none in some/unset/never, some/unset/request, some/set/never and 1 more
",
    );
}

#[test]
fn reports_a_sweep_that_takes_the_extension_out() {
    assert_reported(
        &set(
            "misbehaving = \"client\"\nsweep = true\n",
            r#""client.edit.message" = "client-hello"
"client.edit.value" = "removed""#,
        ),
        r"
error: `sweep` needs `client.edit.message`
 --> some.toml:2:9
  |
2 | sweep = true
  |         ^^^^ expected an edit that puts `tls_flags` into ClientHello, in every case
  |
  = note: there is none in some/unset/never, some/unset/request, some/set/never and 1 more
",
    );
}

#[test]
fn reports_a_value_that_a_sweep_replaces() {
    assert_reported(
        &set(
            "misbehaving = \"client\"\nsweep = true\n",
            r#""client.edit.message" = "client-hello"
"client.edit.value" = "all-zero""#,
        ),
        r#"
error: `client.edit.value` = `all-zero` has no effect
  --> some.toml:12:1
   |
12 | "client.edit.value" = "all-zero"
   | ^^^^^^^^^^^^^^^^^^^ in every case the same as `request`, the default
"#,
    );
}

#[test]
fn reports_a_fault_that_changes_nothing_under_the_revision() {
    assert_reported(
        &set(
            "misbehaving = \"server\"\n",
            r#""server.fault" = "does-not-acknowledge""#,
        ),
        r#"
error: `server.fault` = `does-not-acknowledge` has no effect
  --> some.toml:10:1
   |
10 | "server.fault" = "does-not-acknowledge"
   | ^^^^^^^^^^^^^^ in every case the same as `none`, the default
"#,
    );
}

#[test]
fn reports_the_only_value_of_an_axis_that_changes_nothing() {
    assert_reported(
        &reported(
            &SOUND
                .replace("title", "misbehaving = \"client\"\ntitle")
                .replace(r#"["unset", "set"]"#, r#"["unset"]"#)
                .replace(
                    "[setup]\ncipher = \"default\"",
                    "\"client.fault\" = [\"omits-tls-flags\"]",
                ),
        ),
        r#"
error: `client.fault` = `omits-tls-flags` has no effect
 --> some.toml:9:1
  |
9 | "client.fault" = ["omits-tls-flags"]
  | ^^^^^^^^^^^^^^ in every case the same as `none`, the default
"#,
    );
}

#[test]
fn reports_cases_that_are_the_same() {
    assert_reported(
        &reported(
            &SOUND
                .replace(
                    r#""client.flag" = ["unset", "set"]"#,
                    r#""server.tls-flags" = ["unmodified", "implemented"]"#,
                )
                .replace(r#""request""#, r#""request-on-flag""#),
        ),
        r"
error: some/unmodified/request-on-flag and some/implemented/request-on-flag have the same setups
 --> some.toml:4:1
  |
4 | [axes]
  | ^^^^^^ `server.tls-flags` makes no difference between them
  |
  = note: [[exclude]] leaves out one of them, with the reason
",
    );
}

#[test]
fn reports_how_many_pairs_of_cases_are_the_same() {
    assert_reported(
        &reported(
            &SOUND
                .replace("title", "misbehaving = \"client\"\ntitle")
                .replace(r#"["unset", "set"]"#, r#"["unmodified", "unset"]"#)
                .replace(
                    "[setup]\ncipher = \"default\"",
                    "\"client.fault\" = [\"none\", \"omits-tls-flags\"]",
                ),
        ),
        r"
error: some/unmodified/never/none and some/unmodified/never/omits-tls-flags have the same setups, and 3 more such pairs
 --> some.toml:5:1
  |
5 | [axes]
  | ^^^^^^ `client.fault` makes no difference between them
  |
  = note: [[exclude]] leaves out one of them, with the reason
",
    );
}

#[test]
fn reports_cases_that_are_the_same_under_one_of_the_revisions() {
    let text = r#"
title = "A fault of the editor's copy"
document = "RFC 9846"
revision = ["editors-copy", "draft-02"]
misbehaving = "server"

[axes]
"server.fault" = ["none", "does-not-acknowledge"]

[setup]
"server.policy" = "request-on-flag"

[[expect]]
certificate_request = false
outcome = "completed"
authenticated = false
because = ["TLS-2"]
"#;
    assert_reported(
        &reported(text),
        r"
error: some/none and some/does-not-acknowledge have the same setups
 --> some.toml:7:1
  |
7 | [axes]
  | ^^^^^^ `server.fault` makes no difference between them
  |
  = note: [[exclude]] leaves out one of them, with the reason
",
    );
}
