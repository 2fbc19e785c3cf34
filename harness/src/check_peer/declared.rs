//! Which check is of which capability.

use reqmtls_contract::{CipherSuite, Description, Group, Keys, Policy, Sessions, Side, Version};

use super::shown::Bench;
use super::{Checked, Checks, Trouble, sides};

impl<E: FnMut(Checked)> Checks<'_, E> {
    /// Looks at all that the peer declares.
    pub(super) async fn shown(&mut self, description: &Description) {
        let material = self.material;
        let start = async {
            let started = Bench::start(self.program, material).await;
            Ok(started.map_err(|error| error.to_string())?)
        };
        let rule = "a job with the unknown key no-such-capability is answered unsupported";
        let Some(bench) = self.need(rule, start).await else {
            return;
        };
        for side in sides(description) {
            match side {
                Side::Client => self.client(&bench).await,
                Side::Server => self.server(&bench).await,
            }
            self.shared(side, &bench).await;
        }
        bench.stop().await;
    }

    async fn client(&mut self, bench: &Bench<'_>) {
        let rule = "client: handshake, request, answer and close_notify take place";
        self.check(rule, bench.client()).await;
        let rule = "client: the server's certificate has to be of server_name and trust_anchors";
        self.check(rule, bench.client_verifies()).await;
        let rule = "client: identity is sent to a server that asks";
        self.check(rule, bench.client_identity()).await;
        self.shows("client.tls-flags", bench, bench.client_tls_flags())
            .await;
        self.shows("client.flag", bench, bench.client_flag()).await;
        self.shows("client.extension", bench, bench.client_extension())
            .await;
        self.shows(
            "client.revision.editors-copy",
            bench,
            bench.client_editors_copy(),
        )
        .await;
        self.shows("client.resumption", bench, bench.client_resumption())
            .await;
        self.shows("client.early-data", bench, bench.client_early_data())
            .await;
        self.shows(
            "client.post-handshake-auth",
            bench,
            bench.client_post_handshake_auth(),
        )
        .await;
        self.shows("client.edits", bench, bench.edits(Side::Client))
            .await;
        self.shows(
            "client.bad-certificate-verify",
            bench,
            bench.client_bad_certificate_verify(),
        )
        .await;
    }

    async fn server(&mut self, bench: &Bench<'_>) {
        let rule = "server: handshake, request, answer and close_notify take place";
        self.check(rule, bench.server()).await;
        for policy in Policy::ALL {
            let name = format!("server.policy.{policy}");
            self.shows(&name, bench, bench.policy(*policy)).await;
        }
        let rule = "server: a certificate that it does not accept is refused under request too";
        self.check(rule, bench.server_verifies()).await;
        self.shows("server.flag", bench, bench.server_flag()).await;
        self.shows("server.extension", bench, bench.server_extension())
            .await;
        self.shows(
            "server.revision.editors-copy",
            bench,
            bench.server_editors_copy(),
        )
        .await;
        for sessions in Sessions::ALL {
            let name = format!("server.sessions.{sessions}");
            self.shows(&name, bench, bench.sessions(*sessions)).await;
        }
        self.shows("server.early-data", bench, bench.server_early_data())
            .await;
        self.shows("server.edits", bench, bench.edits(Side::Server))
            .await;
        self.shows(
            "server.bad-certificate-verify",
            bench,
            bench.server_bad_certificate_verify(),
        )
        .await;
    }

    async fn shared(&mut self, side: Side, bench: &Bench<'_>) {
        let rule = format!("{side}: jobs of different control connections are served side by side");
        self.check(rule, bench.many(side)).await;
        for version in Version::ALL {
            let name = format!("version.{version}");
            self.shows_as(side, &name, bench, bench.version(side, *version))
                .await;
        }
        for group in Group::ALL {
            let name = format!("group.{group}");
            self.shows_as(side, &name, bench, bench.group(side, *group))
                .await;
        }
        let rule = format!("{side}: groups stand in the order of preference");
        self.check(rule, bench.retry(side)).await;
        for suite in CipherSuite::ALL {
            let name = format!("cipher.{suite}");
            self.shows_as(side, &name, bench, bench.cipher(side, *suite))
                .await;
        }
        for keys in Keys::ALL {
            let name = format!("keys.{keys}");
            self.shows_as(side, &name, bench, bench.keys(side, *keys))
                .await;
        }
    }

    /// Looks at a capability if it is declared.
    async fn shows(
        &mut self,
        capability: &str,
        bench: &Bench<'_>,
        check: impl Future<Output = Result<(), Trouble>>,
    ) {
        if bench.has(capability) {
            self.check(format!("{capability} shows on the wire"), check)
                .await;
        }
    }

    /// The same for one that is both sides'.
    async fn shows_as(
        &mut self,
        side: Side,
        capability: &str,
        bench: &Bench<'_>,
        check: impl Future<Output = Result<(), Trouble>>,
    ) {
        if bench.has(capability) {
            self.check(format!("{side}: {capability} shows on the wire"), check)
                .await;
        }
    }
}
