//! From the values of a case to the setups of its two ends.

use reqmtls_contract::{Hex, Message, Revision, Setup, TLS_FLAGS};

use super::Settings;
use super::certificates::{Certificates, SERVER_NAME};
use super::edit::{EditPlan, extension_data};

/// The highest flag that there can be (draft-ietf-tls-tlsflags-16 §2).
pub const MAX_FLAG: u16 = 2039;

/// The one flag that is assigned, `resumption_across_names` (draft-ietf-tls-tlsflags-16 §4).
const RESUMPTION_ACROSS_NAMES: u16 = 8;

/// What is the same for every case of a run.
#[derive(Clone, Debug)]
pub struct Material {
    /// The certificates of the run.
    pub certificates: Certificates,
    /// The number of the extension `tls_flags`.
    pub extension: u16,
    /// The number of the request mTLS flag.
    pub flag: u16,
    /// The revision that ends which implement the flag follow.
    pub revision: Revision,
}

impl Material {
    /// The `extension_data` that sets the request mTLS flag alone.
    #[must_use]
    pub fn request(&self) -> Hex {
        extension_data(&[self.flag])
    }

    /// A flag that is not assigned: the next above the request flag, or below where there is none.
    pub(super) fn unknown(&self) -> u16 {
        let above = self.flag + 1..=MAX_FLAG;
        let mut others = above.chain((0..self.flag).rev());
        others
            .find(|flag| *flag != RESUMPTION_ACROSS_NAMES)
            .unwrap_or(MAX_FLAG)
    }

    /// Names in place of certificates, for setups that are compared with each other and never used.
    pub(super) fn nominal(revision: Revision) -> Self {
        Self {
            certificates: Certificates::nominal(),
            extension: TLS_FLAGS,
            flag: 80,
            revision,
        }
    }
}

/// How the ends of one job are set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setups {
    /// The one flag that the client's edit sets, where a scenario goes through all of them.
    pub swept: Option<u16>,
    /// What the ends are judged by.
    pub declared: Ends,
    /// What they are given: something else where one is deliberately misconfigured.
    pub actual: Ends,
}

/// A setup for each end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The client's.
    pub client: Setup,
    /// The server's.
    pub server: Setup,
}

/// Two ends in the making. The values of a case change it one after the other.
pub(super) struct Draft<'a> {
    pub(super) material: &'a Material,
    pub(super) client: Setup,
    pub(super) server: Setup,
    pub(super) client_edit: EditPlan,
    pub(super) server_edit: EditPlan,
    /// Whether the client of a second connection, if there is one, sends its request as early data.
    pub(super) early_data: bool,
    pub(super) client_fault: Option<fn(&mut Setup)>,
    pub(super) server_fault: Option<fn(&mut Setup)>,
}

impl Setups {
    /// What the values of a case make of two ends.
    #[must_use]
    pub fn of(settings: &Settings, material: &Material) -> Self {
        let mut draft = Draft::new(material);
        for (_, value) in settings.iter() {
            (value.make)(&mut draft);
        }
        draft.finish()
    }

    /// The same, with the client's edit setting this flag alone.
    #[must_use]
    pub fn sweeping(&self, flag: u16) -> Self {
        let mut swept = self.clone();
        swept.swept = Some(flag);
        for ends in [&mut swept.declared, &mut swept.actual] {
            let values = ends
                .client
                .edits
                .iter_mut()
                .filter_map(|edit| edit.data.as_mut());
            values.for_each(|data| *data = extension_data(&[flag]));
        }
        swept
    }

    /// Whether the client puts `tls_flags` into a ClientHello by an edit, which a sweep can go through.
    pub(super) fn can_sweep(&self) -> bool {
        let is_client_hello = |message| {
            matches!(
                message,
                Message::ClientHello | Message::FirstClientHello | Message::SecondClientHello
            )
        };
        let mut edits = self.declared.client.edits.iter();
        edits.any(|edit| edit.data.is_some() && is_client_hello(edit.message))
    }

    /// How many connections the job has, one after the other.
    #[must_use]
    pub fn connections(&self) -> u32 {
        if self.actual.client.resumption.is_some() {
            2
        } else {
            1
        }
    }
}

impl<'a> Draft<'a> {
    fn new(material: &'a Material) -> Self {
        let valid = material.certificates.valid(None);
        let authority = Some(valid.authority.clone());
        Self {
            material,
            client: Setup {
                trust_anchors: authority.clone(),
                server_name: Some(SERVER_NAME.to_owned()),
                ..Setup::default()
            },
            server: Setup {
                trust_anchors: authority,
                identity: Some(valid.server.clone()),
                ..Setup::default()
            },
            client_edit: EditPlan::new(),
            server_edit: EditPlan::new(),
            early_data: false,
            client_fault: None,
            server_fault: None,
        }
    }

    fn finish(self) -> Setups {
        let Self {
            material,
            mut client,
            mut server,
            client_edit,
            server_edit,
            early_data,
            client_fault,
            server_fault,
        } = self;
        if let Some(resumption) = &mut client.resumption {
            resumption.early_data = early_data;
        }
        client_edit.apply(&mut client, material);
        server_edit.apply(&mut server, material);
        for setup in [&mut client, &mut server] {
            let uses_flags = setup.flag.is_some() || setup.tls_flags.is_some();
            setup.extension =
                Some(material.extension).filter(|number| uses_flags && *number != TLS_FLAGS);
            let follows = setup.flag.is_some() && material.revision != Revision::Draft02;
            setup.revision = follows.then_some(material.revision);
        }
        let declared = Ends { client, server };
        let mut actual = declared.clone();
        if let Some(fault) = client_fault {
            fault(&mut actual.client);
        }
        if let Some(fault) = server_fault {
            fault(&mut actual.server);
        }
        Setups {
            swept: None,
            declared,
            actual,
        }
    }
}

#[cfg(test)]
mod tests {
    use reqmtls_contract::Policy;

    use super::super::Axis;
    use super::*;

    fn setups(values: &[(&str, &str)]) -> Setups {
        let mut settings = Settings::default();
        for (axis, value) in values {
            let axis = Axis::find(axis).expect(axis);
            settings.set(axis, axis.value(value).expect(value));
        }
        Setups::of(&settings, &Material::nominal(Revision::Draft02))
    }

    #[test]
    fn a_sweep_sets_the_one_flag() {
        let swept = setups(&[("client.edit.message", "client-hello")]).sweeping(7);
        assert_eq!(swept.swept, Some(7));
        let data: Vec<_> = swept
            .actual
            .client
            .edits
            .iter()
            .map(|edit| edit.data.clone())
            .collect();
        assert_eq!(data, [None, Some(extension_data(&[7]))]);
    }

    #[test]
    fn a_sweep_needs_an_insertion_into_client_hello() {
        let can = |values: &[_]| setups(values).can_sweep();
        assert!(can(&[("client.edit.message", "second-client-hello")]));
        assert!(!can(&[("client.edit.message", "certificate")]));
        assert!(!can(&[("server.edit.message", "server-hello")]));
        assert!(!can(&[
            ("client.edit.message", "client-hello"),
            ("client.edit.value", "removed"),
        ]));
    }

    #[test]
    fn early_data_is_sent_on_a_second_connection_and_makes_none() {
        let early = setups(&[("client.early-data", "sent")]);
        assert_eq!(early.connections(), 1);
        assert_eq!(early, setups(&[]));
        let second = setups(&[
            ("client.early-data", "sent"),
            ("client.resumption", "flag-set"),
        ]);
        assert_eq!(second.connections(), 2);
        let resumption = second
            .actual
            .client
            .resumption
            .expect("a second connection");
        assert!(resumption.early_data && resumption.tls_flags.is_some());
    }

    #[test]
    fn the_unknown_flag_is_the_next_that_is_not_assigned() {
        let unknown = |flag| {
            let material = Material {
                flag,
                ..Material::nominal(Revision::Draft02)
            };
            material.unknown()
        };
        assert_eq!(unknown(80), 81);
        assert_eq!(unknown(RESUMPTION_ACROSS_NAMES - 1), 9);
        assert_eq!(unknown(MAX_FLAG), MAX_FLAG - 1);
    }

    #[test]
    fn by_default_both_ends_are_unmodified_libraries() {
        let Ends { client, server } = setups(&[]).actual;
        assert_eq!((client.flag, server.flag), (None, None));
        assert_eq!(
            (client.tls_flags, client.revision, client.extension),
            (None, None, None)
        );
    }

    #[test]
    fn a_policy_on_the_flag_makes_the_server_implement_it() {
        let server = setups(&[("server.policy", "request-on-flag")])
            .actual
            .server;
        assert_eq!(
            (server.flag, server.policy),
            (Some(80), Some(Policy::RequestOnFlag))
        );
    }

    #[test]
    fn a_misconfigured_end_is_judged_by_what_it_does_not_get() {
        let setups = setups(&[
            ("server.policy", "request-on-flag"),
            ("server.fault", "asks-everyone"),
        ]);
        assert_eq!(setups.declared.server.policy, Some(Policy::RequestOnFlag));
        assert_eq!(setups.actual.server.policy, Some(Policy::Request));
    }

    #[test]
    fn the_numbers_of_the_run_are_those_of_the_ends_that_implement_flags() {
        let material = Material {
            extension: 0xfe01,
            ..Material::nominal(Revision::EditorsCopy)
        };
        let mut settings = Settings::default();
        let axis = Axis::find("client.flag").expect("an axis");
        settings.set(axis, axis.value("set").expect("a value"));
        let Ends { client, server } = Setups::of(&settings, &material).actual;
        assert_eq!(
            (client.extension, client.revision),
            (Some(0xfe01), Some(Revision::EditorsCopy))
        );
        assert_eq!((server.extension, server.revision), (None, None));
    }
}
