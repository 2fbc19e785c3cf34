//! What each side of a connection said, as far as it is compared.

use std::fmt;

use reqmtls_observer::{
    Alert, AlertDescription, AlertLevel, Content, ExtensionType, HandshakeType, Side, Transcript,
};
use serde::Deserializer as _;
use serde::de::{Error, SeqAccess, Visitor};
use serde_json::{Deserializer, Value};

/// The numbers of the extension that all of this is about.
const TLS_FLAGS: [ExtensionType; 2] = [ExtensionType::TLS_FLAGS, ExtensionType::EARLY_EXPERIMENT];

/// A `tls_flags` extension: its number, and its body or `None` for one that is there and not shown.
type Carrier = (ExtensionType, Option<Vec<u8>>);

/// One thing that a side said.
#[derive(Clone, Debug)]
pub(crate) enum Said {
    /// A handshake message.
    Message {
        /// Its type.
        kind: HandshakeType,
        /// Its `tls_flags` extensions, under whatever number.
        tls_flags: Vec<Carrier>,
    },
    /// An alert.
    Alert(Alert),
    /// Something that nobody could read.
    Undecrypted,
}

impl Said {
    /// What an entry of a transcript is, if it is compared.
    fn of(content: &Content) -> Option<Self> {
        match content {
            Content::Message(message) => Some(Self::Message {
                kind: message.kind(),
                tls_flags: message
                    .extensions()
                    .into_iter()
                    .filter(|extension| TLS_FLAGS.contains(&extension.kind))
                    .map(|extension| (extension.kind, Some(extension.body.to_vec())))
                    .collect(),
            }),
            Content::Alert(alert) => Some(Self::Alert(*alert)),
            Content::Opaque { .. } | Content::Malformed { .. } => Some(Self::Undecrypted),
            Content::ApplicationData { .. } | Content::ChangeCipherSpec => None,
        }
    }
}

impl PartialEq for Said {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Message { kind, tls_flags },
                Self::Message {
                    kind: other_kind,
                    tls_flags: others,
                },
            ) => {
                let same = |(one, other): (&Carrier, &Carrier)| {
                    one.0 == other.0 && (one.1.is_none() || other.1.is_none() || one == other)
                };
                kind == other_kind
                    && tls_flags.len() == others.len()
                    && tls_flags.iter().zip(others).all(same)
            }
            (Self::Alert(one), Self::Alert(other)) => one == other,
            // Two that could not read the same have not agreed on anything.
            _ => false,
        }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message { kind, tls_flags } => {
                write!(f, "{kind}")?;
                for (number, body) in tls_flags {
                    write!(f, " {number}")?;
                    if let Some(body) = body {
                        write!(f, "={}", hex::encode(body))?;
                    }
                }
                Ok(())
            }
            Self::Alert(alert) => write!(f, "Alert {alert}"),
            Self::Undecrypted => f.write_str("(undecrypted)"),
        }
    }
}

/// One connection as somebody sees it.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    client: Vec<Said>,
    server: Vec<Said>,
}

impl View {
    /// What a transcript says, of each side in the order of its octets.
    pub(crate) fn of(transcript: &Transcript) -> Self {
        let mut view = Self::default();
        let mut entries: Vec<_> = transcript.entries.iter().collect();
        // The sort is stable: entries of one record stay as they are.
        entries.sort_by_key(|entry| entry.records.start);
        for entry in entries {
            view.side_mut(entry.from).extend(Said::of(&entry.content));
        }
        view
    }

    pub(crate) fn side(&self, side: Side) -> &[Said] {
        match side {
            Side::Client => &self.client,
            Side::Server => &self.server,
        }
    }

    pub(crate) fn side_mut(&mut self, side: Side) -> &mut Vec<Said> {
        match side {
            Side::Client => &mut self.client,
            Side::Server => &mut self.server,
        }
    }

    /// How much both sides said.
    pub(crate) fn len(&self) -> usize {
        self.client.len() + self.server.len()
    }

    /// What tshark shows of each TCP stream, by the streams' numbers.
    pub(crate) fn of_each_stream(json: &[u8]) -> serde_json::Result<Vec<Self>> {
        let mut views = Vec::new();
        Deserializer::from_slice(json).deserialize_seq(Frames(&mut views))?;
        Ok(views)
    }
}

/// Adds one frame after the other: all of them together, parsed, are more than one wants to hold.
struct Frames<'a>(&'a mut Vec<View>);

impl<'de> Visitor<'de> for Frames<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of frames")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut frames: A) -> Result<(), A::Error> {
        while let Some(frame) = frames.next_element::<Value>()? {
            add_frame(self.0, &frame["_source"]["layers"]).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

fn add_frame(views: &mut Vec<View>, layers: &Value) -> Result<(), String> {
    let tcp = |key: &str| {
        number::<usize>(&layers["tcp"][key]).map_err(|error| format!("{error} as {key}"))
    };
    let (stream, port) = (tcp("tcp.stream")?, tcp("tcp.srcport")?);
    if views.len() <= stream {
        views.resize_with(stream + 1, View::default);
    }
    let side = if port == 443 {
        Side::Server
    } else {
        Side::Client
    };
    let said = views[stream].side_mut(side);
    for layer in each(&layers["tls"]) {
        for record in each(&layer["tls.record"]) {
            add_record(said, record)?;
        }
    }
    Ok(())
}

/// tshark writes what is there once as it is, and what is there several times as a list.
fn each(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::Array(values) => values,
        _ => std::slice::from_ref(value),
    }
}

fn number<N: std::str::FromStr>(value: &Value) -> Result<N, String> {
    let text = value.as_str().and_then(|text| text.parse().ok());
    text.ok_or_else(|| format!("expected a number, got {value}"))
}

/// Adds what a record says. Inside an encrypted record of TLS 1.3 the true content type is shown once it is decrypted.
fn add_record(said: &mut Vec<Said>, record: &Value) -> Result<(), String> {
    match record["tls.record.content_type"].as_str() {
        Some("20" | "23") => {}
        Some("21") => said.push(of_alert(&record["tls.alert_message"])?),
        Some("22") => add_handshake(said, record)?,
        _ => said.push(Said::Undecrypted),
    }
    Ok(())
}

fn of_alert(alert: &Value) -> Result<Said, String> {
    let level = &alert["tls.alert_message.level"];
    if level.is_null() {
        return Ok(Said::Undecrypted);
    }
    Ok(Said::Alert(Alert {
        level: AlertLevel(number(level)?),
        description: AlertDescription(number(&alert["tls.alert_message.desc"])?),
    }))
}

/// A message without a type is one that is encrypted, or a fragment. Which of the two shows at the last fragment,
/// where the message stands in full and with the number of its fragments.
fn add_handshake(said: &mut Vec<Said>, record: &Value) -> Result<(), String> {
    let mut reassembled = each(&record["tls.handshake.fragments"]).iter();
    let mut untyped = 0;
    for message in each(&record["tls.handshake"]) {
        let kind = &message["tls.handshake.type"];
        if kind.is_null() {
            untyped += 1;
            said.push(Said::Undecrypted);
            continue;
        }
        if untyped > 0
            && let Some(fragments) = reassembled.next()
        {
            let count: usize = number(&fragments["tls.handshake.fragment.count"])?;
            let rest = said.len().checked_sub(count);
            let rest = rest.ok_or("more fragments counted than shown")?;
            let fragments = said.split_off(rest);
            if fragments
                .iter()
                .any(|one| !matches!(one, Said::Undecrypted))
            {
                return Err("a message stands between fragments of another".to_owned());
            }
            untyped -= 1;
        }
        let mut tls_flags = Vec::new();
        find_tls_flags(message, &mut tls_flags);
        let kind = HandshakeType(number(kind)?);
        said.push(Said::Message { kind, tls_flags });
    }
    Ok(())
}

/// Collects the extensions in question, which stand at various depths.
fn find_tls_flags(value: &Value, found: &mut Vec<Carrier>) {
    let kind = number(&value["tls.handshake.extension.type"]).map(ExtensionType);
    if let Some(kind) = kind.ok().filter(|kind| TLS_FLAGS.contains(kind)) {
        let data = value["tls.handshake.extension.data"].as_str();
        let data = data.and_then(|data| hex::decode(data.replace(':', "")).ok());
        found.push((kind, data));
    }
    match value {
        Value::Array(values) => values.iter().for_each(|value| find_tls_flags(value, found)),
        Value::Object(values) => values
            .values()
            .for_each(|value| find_tls_flags(value, found)),
        _ => {}
    }
}
