//! Connections in the forms that no scenario has, or not yet, forged message by message.

use reqmtls_observer::testing::{Forge, extension, message};
use reqmtls_observer::{
    Alert, AlertDescription, AlertLevel, CipherSuite, Epoch, ExtensionType, HandshakeType,
    Octets32, Side,
};

use super::Connection;
use super::flights::{Form, encrypted_extensions, finished, padded};

const CLIENT: Side = Side::Client;
const SERVER: Side = Side::Server;

/// One connection of each form, the name telling which.
pub(crate) fn connections() -> Vec<Connection> {
    let mut forms = Forms(Vec::new());
    for suite in (0x1301..=0x1305).map(CipherSuite) {
        let name = format!("TLS 1.3 with {suite}");
        let request = "S  {CertificateRequest}\n";
        forms.add(&name, Forge::new(suite), request, complete);
    }
    tls13(&mut forms);
    for suite in [0xc02b, 0xc030, 0xcca8, 0x009c, 0x009f].map(CipherSuite) {
        let name = format!("TLS 1.2 with {suite}");
        let request = "S  CertificateRequest\n";
        forms.add(&name, Forge::tls12(suite), request, complete12);
    }
    let mut tls12 = |name: &str, shown: &str, write: fn(&mut Form)| {
        let suite = CipherSuite::ECDHE_RSA_AES_128_GCM_SHA256;
        forms.add(name, Forge::tls12(suite), shown, write);
    };
    tls12(
        "TLS 1.2 in small records",
        "C  CertificateVerify\n",
        |form| {
            form.fragment = 64;
            complete12(form);
        },
    );
    let resumed = "S  ServerHello\nC  [Finished]\n";
    tls12("TLS 1.2 resumed", resumed, |form| {
        form.hellos();
        form.finish12(SERVER);
        form.finish12(CLIENT);
        form.exchange();
    });
    forms.0
}

struct Forms(Vec<Connection>);

impl Forms {
    /// Adds a connection, of which the text holds `shown`.
    fn add(&mut self, name: &str, forge: Forge, shown: &str, write: fn(&mut Form)) {
        // All are in one capture, and its secrets are found by client random.
        let number = u8::try_from(self.0.len()).unwrap();
        let mut form = Form::new(forge.with_client_random(Octets32([number; 32])));
        write(&mut form);
        let log = form.forge.log();
        let connection = Connection::new(name.to_owned(), form.forge.recording, log);
        assert_eq!(connection.transcript.defects, [], "{name}");
        let text = connection.transcript.text(80);
        assert!(text.contains(shown), "{name} shows no {shown:?}:\n{text}");
        self.0.push(connection);
    }
}

fn complete(form: &mut Form) {
    form.hellos();
    form.server_flight();
    form.client_flight();
    form.exchange();
}

fn complete12(form: &mut Form) {
    form.hellos();
    form.server_flight12();
    form.client_flight12();
    form.finish12(SERVER);
    form.exchange();
}

fn tls13(forms: &mut Forms) {
    let mut add = |name: &str, shown: &str, write: fn(&mut Form)| {
        let suite = CipherSuite::TLS13_AES_256_GCM_SHA384;
        forms.add(&format!("TLS 1.3 {name}"), Forge::new(suite), shown, write);
    };
    add("in small records", "C  {CertificateVerify}\n", |form| {
        form.fragment = 64;
        complete(form);
    });
    let retry = "S  HelloRetryRequest\nC  ClientHello  ";
    add("with a second ClientHello", retry, |form| {
        form.forge.client_hello(&[]).hello_retry_request(&[]);
        complete(form);
    });
    let resumed = "S  {EncryptedExtensions}\nS  {Finished}\n";
    add("resumed", resumed, |form| resume(form, &[]));
    add("with early data", "C  (EndOfEarlyData)\n", early_data);
    add(
        "with early data rejected",
        "C  (ApplicationData)\nS  {Enc",
        |form| {
            form.forge.client_hello(&[early_data_offer()]);
            form.forge.data(CLIENT, Epoch::EarlyData, b"early");
            form.forge.server_hello(&[]);
            form.server_flight();
            form.client_flight();
            form.exchange();
        },
    );
    add("with updates of keys", "C  [KeyUpdate]\n", updates_of_keys);
    add("with padding", "S  {Certificate}", |form| {
        form.hellos();
        let flight = [encrypted_extensions(&[]), form.certificate(), finished()].concat();
        form.forge
            .inner(SERVER, Epoch::Handshake, &padded(&flight, 100));
        form.messages(CLIENT, Epoch::Handshake, &[finished()]);
        form.exchange();
    });
    let canceled = "C  {Alert}               warning user_canceled(90)\n";
    add("canceled by the user", canceled, |form| {
        form.hellos();
        for description in [
            AlertDescription::USER_CANCELED,
            AlertDescription::CLOSE_NOTIFY,
        ] {
            form.forge
                .alert(CLIENT, Epoch::Handshake, Alert::warning(description));
        }
    });
    let unknown = "S  {Alert}               warning 0xfa\n";
    add("refused by an unknown alert", unknown, |form| {
        form.hellos();
        let (level, description) = (AlertLevel::WARNING, AlertDescription(250));
        form.forge
            .alert(SERVER, Epoch::Handshake, Alert { level, description });
    });
}

/// An abbreviated handshake; the server accepts these extensions.
fn resume(form: &mut Form, accepted: &[Vec<u8>]) {
    let identity = [&[0, 7, 0, 1, b'x', 0, 0, 0, 0][..], &[0, 33, 32], &[9; 32]].concat();
    let offer = [
        accepted,
        &[
            extension(ExtensionType::PSK_KEY_EXCHANGE_MODES, &[1, 1]),
            extension(ExtensionType::PRE_SHARED_KEY, &identity),
        ],
    ];
    form.forge.client_hello(&offer.concat());
    let with_early_data = !accepted.is_empty();
    if with_early_data {
        form.forge.data(CLIENT, Epoch::EarlyData, b"early");
    }
    let chosen = extension(ExtensionType::PRE_SHARED_KEY, &[0, 0]);
    form.forge.server_hello(&[chosen]);
    let flight = [encrypted_extensions(accepted), finished()];
    form.messages(SERVER, Epoch::Handshake, &flight);
    if with_early_data {
        let end = message(HandshakeType::END_OF_EARLY_DATA, &[]);
        form.messages(CLIENT, Epoch::EarlyData, &[end]);
    }
    form.messages(CLIENT, Epoch::Handshake, &[finished()]);
    form.exchange();
}

fn early_data(form: &mut Form) {
    resume(form, &[early_data_offer()]);
}

fn early_data_offer() -> Vec<u8> {
    extension(ExtensionType::EARLY_DATA, &[])
}

fn updates_of_keys(form: &mut Form) {
    form.hellos();
    form.server_flight();
    form.client_flight();
    for side in [CLIENT, SERVER, CLIENT] {
        let update = message(HandshakeType::KEY_UPDATE, &[0]);
        form.messages(side, Epoch::Application, &[update]);
        form.forge.next_keys(side);
        form.forge.data(side, Epoch::Application, b"under new keys");
    }
    form.exchange();
}
