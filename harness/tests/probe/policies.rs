//! Every policy of the reference: the verdict is the right one.

use reqmtls::probe::{Asks, Malformed, Outcome, grouped};
use reqmtls_contract::{Group, Policy, Revision, Sessions, Setup};

use crate::servers::{Server, material, plan, probed};

/// What a probe with a certificate that the server trusts says of the reference with this policy: its sentences, and
/// the requirements that it violates.
async fn said(revision: Revision, change: impl FnOnce(&mut Setup)) -> (Vec<String>, Vec<String>) {
    let material = material(revision);
    let server = Server::reference(&material, change).await;
    let plan = plan(server.address, material, true);
    let (probed, judged) = probed(&plan).await.unwrap();
    assert_eq!(probed.stopped, None);
    let groups = grouped(&probed, &judged);
    let violated = groups.iter().filter(|group| group.is_violated());
    let violated = violated.map(|group| group.ruling.to_string()).collect();
    (judged.verdict.sentences(), violated)
}

fn implementing(policy: Policy) -> impl FnOnce(&mut Setup) {
    move |setup| {
        setup.policy = Some(policy);
        setup.flag = Some(80);
    }
}

const REFUSED: &str = "malformed flags: refuses them by illegal_parameter(47); \
                       flags that are not assigned change nothing";

/// What is said first of the policies that know no flag.
const PLAIN: [(Policy, &str); 3] = [
    (
        Policy::Never,
        "asks nobody for a certificate, neither with the flag nor without",
    ),
    (
        Policy::Request,
        "asks every client, with the flag and without; goes on with clients without certificate",
    ),
    (
        Policy::Require,
        "asks every client, with the flag and without; refuses clients without certificate by \
         certificate_required(116)",
    ),
];

#[tokio::test]
async fn an_unmodified_library_ignores_every_flag() {
    for (policy, first) in PLAIN {
        let (sentences, violated) =
            said(Revision::Draft02, |setup| setup.policy = Some(policy)).await;
        assert_eq!(sentences[0], first);
        assert_eq!(
            sentences[1],
            "malformed flags: ignores them, as a server that does not know the extension does; \
             flags that are not assigned change nothing"
        );
        // Of an unmodified rustls, as the matrix has it.
        let known = "TLS-7 violated, server: server sent decode_error(50); expected alert unsupported_extension(110)";
        let expected: &[&str] = if policy == Policy::Never {
            &[]
        } else {
            &[known]
        };
        assert_eq!(violated, expected, "{policy}");
    }
}

#[tokio::test]
async fn an_implementation_asks_by_its_policy_and_refuses_malformed_flags() {
    let on_flag = [
        (
            Policy::RequestOnFlag,
            "asks only on the flag; goes on with clients without certificate",
        ),
        (
            Policy::RequireOnFlag,
            "asks only on the flag; refuses clients without certificate by certificate_required(116)",
        ),
    ];
    for (policy, first) in PLAIN.into_iter().chain(on_flag) {
        let (sentences, violated) = said(Revision::Draft02, implementing(policy)).await;
        assert_eq!(sentences[0], first);
        assert_eq!(sentences[1], REFUSED, "{policy}");
        assert_eq!(violated, [""; 0], "{policy}");
    }
}

#[tokio::test]
async fn certificates_are_taken_by_what_is_wrong_with_them() {
    let (sentences, _) = said(Revision::Draft02, implementing(Policy::RequireOnFlag)).await;
    assert_eq!(
        sentences[2],
        "the certificate given: goes on; a certificate of an unknown issuer: refuses by \
         unknown_ca(48); a CertificateVerify that does not verify: refuses by decrypt_error(51)"
    );
}

#[tokio::test]
async fn sessions_that_survive_the_flag_are_named() {
    let sessions = |sessions| {
        move |setup: &mut Setup| {
            implementing(Policy::RequestOnFlag)(setup);
            setup.sessions = Some(sessions);
        }
    };
    let (separate, _) = said(Revision::Draft02, sessions(Sessions::Separate)).await;
    assert_eq!(
        separate[3],
        "resumes sessions only where the flag is as it was"
    );
}

#[tokio::test]
async fn the_editors_copy_is_acknowledged() {
    let change = |setup: &mut Setup| {
        implementing(Policy::RequestOnFlag)(setup);
        setup.revision = Some(Revision::EditorsCopy);
    };
    let (sentences, violated) = said(Revision::EditorsCopy, change).await;
    assert_eq!(
        sentences[0],
        "asks only on the flag, and acknowledges it in CertificateRequest; goes on with clients \
         without certificate"
    );
    assert_eq!(violated, [""; 0]);
}

#[tokio::test]
async fn who_does_not_acknowledge_is_named() {
    // Whether another reason to ask there is (RCA-2) is not to be seen: no requirement is violated.
    let (sentences, violated) =
        said(Revision::EditorsCopy, implementing(Policy::RequestOnFlag)).await;
    let expected = "asks only on the flag, and does not acknowledge it in CertificateRequest; ";
    assert!(sentences[0].starts_with(expected), "{sentences:#?}");
    assert_eq!(violated, [""; 0]);
}

#[tokio::test]
async fn who_asks_for_another_key_share_is_seen_to_ask_after_it() {
    let (sentences, violated) = said(Revision::Draft02, |setup| {
        implementing(Policy::RequireOnFlag)(setup);
        setup.groups = vec![Group::Secp384r1];
    })
    .await;
    let last = &sentences[3];
    assert!(
        last.ends_with("asks after HelloRetryRequest as without"),
        "{last}"
    );
    assert_eq!(violated, [""; 0]);
}

#[tokio::test]
async fn without_an_identity_the_made_up_certificate_is_untrusted() {
    let material = material(Revision::Draft02);
    let server = Server::reference(&material, implementing(Policy::Request)).await;
    let plan = plan(server.address, material, false);
    let (probed, judged) = probed(&plan).await.unwrap();
    let verdict = &judged.verdict;
    assert_eq!(
        (verdict.asks, verdict.malformed),
        (Some(Asks::Everyone), Some(Malformed::Refused))
    );
    let untrusted = verdict.certificates["untrusted"];
    assert_eq!(
        (untrusted.outcome, untrusted.alert.map(|it| it.number)),
        (Outcome::Refused, Some(48))
    );
    // What it is refused for would not be to be seen.
    let is_played = |it: &reqmtls::probe::Played| it.play.is_of("certificate-verify");
    assert!(!probed.played.iter().any(is_played));
    let reasons: Vec<_> = probed.left_out.iter().map(|it| &*it.reason).collect();
    assert_eq!(
        reasons,
        [
            "they need a certificate that the server trusts: --cert and --key present one",
            "the server took the key share of every group that it was sent",
            "the server does not accept the certificate without the defect"
        ]
    );
}
