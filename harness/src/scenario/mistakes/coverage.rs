//! Expectations and exclusions that do not fit the cases.

use std::fmt::Write;

use super::{SOUND, assert_reported, changed, reported, with};
use crate::scenario::AXES;

#[test]
fn reports_an_axis_both_fixed_and_varied() {
    assert_reported(
        &changed(r#"cipher = "default""#, r#""client.flag" = "set""#),
        r#"
error: `client.flag` is both fixed and varied
 --> some.toml:9:1
  |
5 | "client.flag" = ["unset", "set"]
  | ------------- varied here
...
9 | "client.flag" = "set"
  | ^^^^^^^^^^^^^ fixed here
"#,
    );
}

#[test]
fn reports_a_condition_on_a_fixed_axis() {
    assert_reported(
        &changed(
            r#"when = { "server.policy" = "never" }"#,
            r#"when = { cipher = "default" }"#,
        ),
        r#"
error: `cipher` is not varied in this file
  --> some.toml:12:10
   |
12 | when = { cipher = "default" }
   |          ^^^^^^ fixed by [setup]
   |
   = note: expected one of `client.flag`, `server.policy`
"#,
    );
}

#[test]
fn reports_a_condition_on_an_axis_that_is_not_named() {
    assert_reported(
        &changed(
            r#"when = { "server.policy" = "never" }"#,
            r#"when = { "client.groups" = "x25519" }"#,
        ),
        r#"
error: `client.groups` is not varied in this file
  --> some.toml:12:10
   |
12 | when = { "client.groups" = "x25519" }
   |          ^^^^^^^^^^^^^^^ not among [axes]
   |
   = note: expected one of `client.flag`, `server.policy`
"#,
    );
}

#[test]
fn reports_a_condition_that_no_case_has() {
    assert_reported(
        &changed(r#"= "never" }"#, r#"= "require" }"#),
        r#"
error: no case has `server.policy` = `require`
  --> some.toml:12:28
   |
12 | when = { "server.policy" = "require" }
   |                            ^^^^^^^^^ not among its values in [axes]
   |
   = note: expected one of `never`, `request`
"#,
    );
}

#[test]
fn reports_an_uncovered_case() {
    assert_reported(
        &changed(r#"= "never" }"#, r#"= "never", "client.flag" = "set" }"#),
        r"
error: no expectation gives `certificate_request`, `outcome`, `authenticated` for some/unset/never
 --> some.toml:4:1
  |
4 | [axes]
  | ^^^^^^ the expectations have to cover every case of these axes
",
    );
}

#[test]
fn reports_an_uncovered_field() {
    assert_reported(
        &changed(
            r#"outcome = "completed"
authenticated = false
"#,
            "",
        ),
        r"
error: no expectation gives `outcome`, `authenticated` for some/unset/never, some/set/never
 --> some.toml:4:1
  |
4 | [axes]
  | ^^^^^^ the expectations have to cover every case of these axes
",
    );
}

#[test]
fn reports_a_refusal_without_an_alert() {
    assert_reported(
        &changed(
            r#"outcome = "completed"
"#,
            r#"outcome = "refused"
"#,
        ),
        r"
error: no expectation gives `alert` for some/unset/never, some/set/never
 --> some.toml:4:1
  |
4 | [axes]
  | ^^^^^^ the expectations have to cover every case of these axes
",
    );
}

#[test]
fn reports_a_contradiction() {
    assert_reported(
        &with(
            r#"
[[expect]]
when = { "client.flag" = "set" }
authenticated = true
because = ["TLS-2"]
"#,
        ),
        r"
error: two expectations differ in `authenticated` for some/set/never
  --> some.toml:27:17
   |
15 | authenticated = false
   |                 ----- one value here
...
27 | authenticated = true
   |                 ^^^^ another value here

error: two expectations differ in `authenticated` for some/set/request
  --> some.toml:27:17
   |
22 | authenticated = false
   |                 ----- one value here
...
27 | authenticated = true
   |                 ^^^^ another value here
",
    );
}

#[test]
fn reports_an_alert_of_a_completed_connection() {
    assert_reported(
        &with(
            r#"
[[expect]]
when = { "client.flag" = "set" }
alert = ["unknown_ca"]
because = ["TLS-5"]
"#,
        ),
        r#"
error: an alert and a completed connection for some/set/never: an impossible combination
  --> some.toml:27:9
   |
14 | outcome = "completed"
   |           ----------- and this
...
27 | alert = ["unknown_ca"]
   |         ^^^^^^^^^^^^^^ this

error: an alert and a completed connection for some/set/request: an impossible combination
  --> some.toml:27:9
   |
21 | outcome = "completed"
   |           ----------- and this
...
27 | alert = ["unknown_ca"]
   |         ^^^^^^^^^^^^^^ this
"#,
    );
}

#[test]
fn reports_an_authenticated_client_of_a_refused_connection() {
    assert_reported(
        &changed(
            r#"outcome = "completed"
authenticated = false"#,
            r#"outcome = "refused"
alert = ["unknown_ca"]
authenticated = true"#,
        ),
        r#"
error: an authenticated client and a refused connection for some/unset/never, some/set/never: an impossible combination
  --> some.toml:16:17
   |
14 | outcome = "refused"
   |           --------- and this
15 | alert = ["unknown_ca"]
16 | authenticated = true
   |                 ^^^^ this
"#,
    );
}

#[test]
fn reports_an_expectation_that_expects_nothing() {
    assert_reported(
        &with(
            r#"
[[expect]]
because = ["TLS-2"]
"#,
        ),
        r"
error: this expectation expects nothing
  --> some.toml:25:1
   |
25 | [[expect]]
   | ^^^^^^^^^^ this one
   |
   = note: expected one of `certificate_request`, `outcome`, `alert`, `refused_by`, `authenticated`, `resumed`, `violates`
",
    );
}

#[test]
fn reports_an_expectation_without_a_case() {
    assert_reported(
        &with(
            r#"
[[expect]]
when = { "client.flag" = "set" }
authenticated = false
because = ["TLS-2"]

[[exclude]]
when = { "client.flag" = "set" }
reason = "no client here sets it"
"#,
        ),
        r"
error: this expectation matches no case
  --> some.toml:25:1
   |
25 | [[expect]]
   | ^^^^^^^^^^ every case that it matches is excluded
",
    );
}

#[test]
fn reports_an_exclusion_without_a_case() {
    assert_reported(
        &with(
            r#"
[[exclude]]
when = { "client.flag" = "set" }
reason = "no client here sets it"

[[exclude]]
when = { "client.flag" = "set", "server.policy" = "never" }
reason = "no server looks at it"
"#,
        ),
        r"
error: this exclusion matches no case
  --> some.toml:29:1
   |
29 | [[exclude]]
   | ^^^^^^^^^^^ every case that it matches is excluded before
",
    );
}

#[test]
fn reports_that_every_case_is_excluded() {
    assert_reported(
        &with(
            r#"
[[exclude]]
when = {}
reason = "out of order"
"#,
        ),
        r"
error: some.toml: every case is excluded, expected at least one that is not
",
    );
}

#[test]
fn reports_too_many_cases() {
    let mut axes = String::new();
    let mut size = 1;
    for axis in AXES {
        let values: Vec<_> = axis.values.iter().map(|value| value.name).collect();
        size *= values.len();
        writeln!(axes, "{:?} = {values:?}", axis.name).unwrap();
    }
    let (start, rest) = SOUND.split_once("[axes]\n").unwrap();
    let (_, expectations) = rest.split_once("cipher = \"default\"\n").unwrap();
    let reported = reported(&format!("{start}[axes]\n{axes}{expectations}"));
    assert!(size > 10_000);
    let message = format!("error: these axes make {size} cases, expected at most 10000\n");
    assert!(reported.starts_with(&message), "{reported}");
}
