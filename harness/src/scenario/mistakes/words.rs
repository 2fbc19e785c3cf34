//! Words that are none of those that may stand there.

use super::{assert_reported, changed};

#[test]
fn reports_an_unknown_key() {
    assert_reported(
        &changed("title =", "titel ="),
        r#"
error: unknown key `titel`
 --> some.toml:1:1
  |
1 | titel = "A flag that no server looks at"
  | ^^^^^ did you mean `title`?
  |
  = note: expected one of `title`, `document`, `about`, `revision`, `misbehaving`, `pairings`, `sweep`, `axes`, `setup`, `expect`, `exclude`
"#,
    );
}

#[test]
fn reports_an_unknown_key_of_an_expectation() {
    assert_reported(
        &changed("outcome", "outcom"),
        r#"
error: unknown key `outcom`
  --> some.toml:14:1
   |
14 | outcom = "completed"
   | ^^^^^^ did you mean `outcome`?
   |
   = note: expected one of `when`, `certificate_request`, `outcome`, `alert`, `refused_by`, `authenticated`, `resumed`, `violates`, `because`, `note`
"#,
    );
}

#[test]
fn reports_an_unknown_axis() {
    assert_reported(
        &changed(r#""client.flag" ="#, r#""client.flags" ="#),
        r#"
error: unknown axis `client.flags`
 --> some.toml:5:1
  |
5 | "client.flags" = ["unset", "set"]
  | ^^^^^^^^^^^^^^ did you mean `client.flag`?
"#,
    );
}

#[test]
fn reports_an_unknown_axis_near_none() {
    assert_reported(
        &changed(r#""client.flag" ="#, "colour ="),
        r#"
error: unknown axis `colour`
 --> some.toml:5:1
  |
5 | colour = ["unset", "set"]
  | ^^^^^^ not a known axis
  |
  = note: expected one of `client.flag`, `server.tls-flags`, `keys`, `client.certificate`, `server.policy`, `client.post-handshake-auth`, `client.versions`, `server.versions`, `client.groups`, `server.groups`, `cipher`, `client.resumption`, `server.sessions`, `client.early-data`, `server.early-data`, `client.edit.message`, `client.edit.value`, `client.edit.position`, `client.edit.extension`, `server.edit.message`, `server.edit.value`, `server.edit.position`, `server.edit.extension`, `client.fault`, `server.fault`
"#,
    );
}

#[test]
fn reports_an_axis_without_quotes() {
    assert_reported(
        &changed(r#""client.flag" ="#, "client.flag ="),
        r#"
error: unknown axis `client`
 --> some.toml:5:1
  |
5 | client.flag = ["unset", "set"]
  | ^^^^^^ expected the name in quotes: "client.flag"
"#,
    );
}

#[test]
fn reports_an_unknown_value() {
    assert_reported(
        &changed(r#""never", "request""#, r#""nevre", "request""#),
        r#"
error: unknown value of `server.policy`: `nevre`
 --> some.toml:6:20
  |
6 | "server.policy" = ["nevre", "request"]
  |                    ^^^^^^^ did you mean `never`?
  |
  = note: expected one of `never`, `request`, `require`, `request-on-flag`, `require-on-flag`, `post-handshake`
"#,
    );
}

#[test]
fn reports_an_unknown_value_of_a_condition() {
    assert_reported(
        &changed(r#"= "never" }"#, r#"= "newer" }"#),
        r#"
error: unknown value of `server.policy`: `newer`
  --> some.toml:12:28
   |
12 | when = { "server.policy" = "newer" }
   |                            ^^^^^^^ did you mean `never`?
   |
   = note: expected one of `never`, `request`, `require`, `request-on-flag`, `require-on-flag`, `post-handshake`
"#,
    );
}

#[test]
fn reports_an_unknown_document() {
    assert_reported(
        &changed("RFC 9846", "RFC 9847"),
        r#"
error: unknown document `RFC 9847`
 --> some.toml:2:12
  |
2 | document = "RFC 9847"
  |            ^^^^^^^^^^ did you mean `RFC 9846`?
  |
  = note: expected one of `draft-jhoyla-req-mtls-flag-00`, `draft-jhoyla-req-mtls-flag, editor's copy of June 2025`, `draft-ietf-tls-tlsflags-16`, `RFC 9846`
"#,
    );
}

#[test]
fn reports_an_unknown_requirement() {
    assert_reported(
        &changed(r#""RM-2""#, r#""RM-6""#),
        r#"
error: unknown requirement `RM-6`
  --> some.toml:16:12
   |
16 | because = ["RM-6"]
   |            ^^^^^^ did you mean `RM-5`?
   |
   = note: expected one of RM-1 to RM-5, RCA-1 to RCA-12, TF-1 to TF-13, TLS-1 to TLS-22
"#,
    );
}

#[test]
fn reports_an_unknown_requirement_near_none() {
    assert_reported(
        &changed(r#""RM-2""#, r#""section 4""#),
        r#"
error: unknown requirement `section 4`
  --> some.toml:16:12
   |
16 | because = ["section 4"]
   |            ^^^^^^^^^^^ not a known requirement
   |
   = note: expected one of RM-1 to RM-5, RCA-1 to RCA-12, TF-1 to TF-13, TLS-1 to TLS-22
"#,
    );
}

#[test]
fn reports_an_unknown_alert() {
    assert_reported(
        &changed(
            r#"outcome = "completed""#,
            r#"outcome = "refused"
alert = ["certificate-require"]"#,
        ),
        r#"
error: unknown alert `certificate-require`
  --> some.toml:15:10
   |
15 | alert = ["certificate-require"]
   |          ^^^^^^^^^^^^^^^^^^^^^ did you mean `certificate_required`?
"#,
    );
}

#[test]
fn reports_an_unknown_alert_near_none() {
    assert_reported(
        &changed(
            r#"outcome = "completed""#,
            r#"outcome = "refused"
alert = ["no"]"#,
        ),
        r#"
error: unknown alert `no`
  --> some.toml:15:10
   |
15 | alert = ["no"]
   |          ^^^^ not a known alert
   |
   = note: expected one of `close_notify`, `unexpected_message`, `bad_record_mac`, `decryption_failed`, `record_overflow`, `decompression_failure`, `handshake_failure`, `no_certificate`, `bad_certificate`, `unsupported_certificate`, `certificate_revoked`, `certificate_expired`, `certificate_unknown`, `illegal_parameter`, `unknown_ca`, `access_denied`, `decode_error`, `decrypt_error`, `too_many_cids_requested`, `export_restriction`, `protocol_version`, `insufficient_security`, `internal_error`, `inappropriate_fallback`, `user_canceled`, `no_renegotiation`, `missing_extension`, `unsupported_extension`, `certificate_unobtainable`, `unrecognized_name`, `bad_certificate_status_response`, `bad_certificate_hash_value`, `unknown_psk_identity`, `certificate_required`, `general_error`, `no_application_protocol`, `ech_required`
"#,
    );
}

#[test]
fn reports_an_unknown_outcome() {
    assert_reported(
        &changed(r#""completed""#, r#""complete""#),
        r#"
error: unknown outcome `complete`
  --> some.toml:14:11
   |
14 | outcome = "complete"
   |           ^^^^^^^^^^ did you mean `completed`?
   |
   = note: expected one of `completed`, `refused`
"#,
    );
}

#[test]
fn reports_an_unknown_revision() {
    assert_reported(
        &changed(
            "[axes]",
            r#"revision = ["draft-02", "editors-kopy"]
[axes]"#,
        ),
        r#"
error: unknown revision `editors-kopy`
 --> some.toml:4:25
  |
4 | revision = ["draft-02", "editors-kopy"]
  |                         ^^^^^^^^^^^^^^ did you mean `editors-copy`?
  |
  = note: expected one of `draft-02`, `editors-copy`
"#,
    );
}

#[test]
fn reports_an_unknown_value_of_pairings() {
    assert_reported(
        &changed("title", "pairings = \"with-everyone\"\ntitle"),
        r#"
error: unknown value of `pairings`: `with-everyone`
 --> some.toml:1:12
  |
1 | pairings = "with-everyone"
  |            ^^^^^^^^^^^^^^^ not a known value of `pairings`
  |
  = note: expected one of `every`, `with-reference`
"#,
    );
}

#[test]
fn reports_an_unknown_side() {
    assert_reported(
        &changed("title", "misbehaving = \"sever\"\ntitle"),
        r#"
error: unknown side `sever`
 --> some.toml:1:15
  |
1 | misbehaving = "sever"
  |               ^^^^^^^ did you mean `server`?
  |
  = note: expected one of `client`, `server`
"#,
    );
}

#[test]
fn reports_an_unknown_value_of_certificate_request() {
    assert_reported(
        &changed(
            "certificate_request = false",
            "certificate_request = \"on_flag\"",
        ),
        r#"
error: unknown value of `certificate_request`: `on_flag`
  --> some.toml:13:23
   |
13 | certificate_request = "on_flag"
   |                       ^^^^^^^^^ expected true, false, "on-flag" or "any"
"#,
    );
}

#[test]
fn reports_an_unknown_value_of_authenticated() {
    assert_reported(
        &changed("authenticated = false", "authenticated = \"either\""),
        r#"
error: unknown value of `authenticated`: `either`
  --> some.toml:15:17
   |
15 | authenticated = "either"
   |                 ^^^^^^^^ expected true, false or "any"
"#,
    );
}
