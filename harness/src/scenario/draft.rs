//! From the values of a case to the setups of its two ends.

use reqmtls_contract::{Edit, Hex, Message, Revision, Setup, TLS_FLAGS};
use reqmtls_vocabulary::{ExtensionType, words};

use super::Settings;
use super::certificates::{Certificates, SERVER_NAME};

/// The highest flag that there can be (draft-ietf-tls-tlsflags-16 §2).
pub const MAX_FLAG: u16 = 2039;

/// What is the same for every case of a run.
#[derive(Debug)]
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

    /// A flag that nobody knows: the one above the request flag, or below where there is none.
    fn unknown(&self) -> u16 {
        if self.flag == MAX_FLAG {
            self.flag - 1
        } else {
            self.flag + 1
        }
    }
}

/// How the ends of one job are set up.
#[derive(Clone, Debug)]
pub struct Setups {
    /// The one flag that the client's edit sets, where a scenario goes through all of them.
    pub swept: Option<u16>,
    /// What the ends are judged by.
    pub declared: Ends,
    /// What they get: something else, where one is deliberately misconfigured.
    pub actual: Ends,
}

/// A setup for each end.
#[derive(Clone, Debug)]
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
    pub(super) client_fault: Option<fn(&mut Setup)>,
    pub(super) server_fault: Option<fn(&mut Setup)>,
}

/// What an end does to `tls_flags` in one of its messages.
pub(super) struct EditPlan {
    pub(super) message: Option<Message>,
    pub(super) octets: Octets,
    pub(super) place: Place,
    pub(super) other_number: bool,
}

words! {
    /// A value of `tls_flags`, well formed or not.
    pub(super) enum Octets {
        /// The request flag.
        Request = "request",
        /// A flag that nobody knows.
        Unknown = "unknown",
        /// The request flag, and one that nobody knows.
        RequestAndUnknown = "request-and-unknown",
        /// The request flag and flag 2039: 255 octets.
        Octets255 = "octets-255",
        /// None: the extension is taken out.
        Removed = "removed",
        /// No octet at all.
        NoOctets = "no-octets",
        /// A length octet of zero, and nothing behind it.
        ZeroLength = "zero-length",
        /// One octet of zero.
        AllZero = "all-zero",
        /// The request flag, and an octet of zero behind it.
        TrailingZero = "trailing-zero",
        /// A length octet smaller than the octets behind it.
        LengthTooShort = "length-too-short",
        /// A length octet greater than the octets behind it.
        LengthTooLong = "length-too-long",
    }
}

words! {
    /// A place for the extension in its message.
    pub(super) enum Place {
        /// Where the end would put it, and nowhere else.
        InPlace = "in-place",
        /// There twice, with the same value.
        Twice = "twice",
        /// Behind every other extension, `pre_shared_key` too.
        Last = "last",
    }
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
        let edit = || EditPlan {
            message: None,
            octets: Octets::Request,
            place: Place::InPlace,
            other_number: false,
        };
        let authority = Some(material.certificates.authority.clone());
        Self {
            material,
            client: Setup {
                trust_anchors: authority.clone(),
                server_name: Some(SERVER_NAME.to_owned()),
                ..Setup::default()
            },
            server: Setup {
                trust_anchors: authority,
                identity: Some(material.certificates.server.clone()),
                ..Setup::default()
            },
            client_edit: edit(),
            server_edit: edit(),
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
            client_fault,
            server_fault,
        } = self;
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

impl EditPlan {
    fn apply(&self, setup: &mut Setup, material: &Material) {
        let Some(message) = self.message else { return };
        let data = self.octets.extension_data(material);
        let experiment = ExtensionType::EARLY_EXPERIMENT.0;
        let extension = match self.other_number {
            false => material.extension,
            true if material.extension == experiment => TLS_FLAGS,
            true => experiment,
        };
        let edit = |data, last| Edit {
            message,
            extension,
            data,
            last,
        };
        let remove = edit(None, false);
        let Some(data) = data else {
            setup.edits.push(remove);
            return;
        };
        let insert = edit(Some(data), self.place == Place::Last);
        match self.place {
            // Whatever the end sends by itself is in the way.
            Place::InPlace | Place::Last => setup.edits.extend([remove, insert]),
            Place::Twice => setup.edits.extend([remove, insert.clone(), insert]),
        }
    }
}

impl Octets {
    fn extension_data(self, material: &Material) -> Option<Hex> {
        let request = material.request();
        Some(match self {
            Self::Removed => return None,
            Self::Request => request,
            Self::Unknown => extension_data(&[material.unknown()]),
            Self::RequestAndUnknown => extension_data(&[material.flag, material.unknown()]),
            Self::Octets255 => extension_data(&[material.flag, MAX_FLAG]),
            Self::NoOctets => Hex(vec![]),
            Self::ZeroLength => Hex(vec![0]),
            Self::AllZero => Hex(vec![1, 0]),
            Self::TrailingZero => {
                let mut longer = with_length(&request, 1);
                longer.0.push(0);
                longer
            }
            Self::LengthTooShort => with_length(&request, -1),
            Self::LengthTooLong => with_length(&request, 1),
        })
    }
}

/// The minimal `extension_data` of `tls_flags` that sets these flags, of which there is at least one
/// (draft-ietf-tls-tlsflags-16 §2).
fn extension_data(flags: &[u16]) -> Hex {
    let octets = usize::from(flags.iter().max().map_or(0, |flag| flag / 8 + 1));
    let mut data = vec![0; octets + 1];
    data[0] = u8::try_from(octets).unwrap_or(u8::MAX);
    for flag in flags {
        data[usize::from(flag / 8) + 1] |= 1 << (flag % 8);
    }
    Hex(data)
}

/// The same octets, with a length octet that is off by so many.
fn with_length(data: &Hex, by: i8) -> Hex {
    let mut data = data.clone();
    if let Some(length) = data.0.first_mut() {
        *length = length.wrapping_add_signed(by);
    }
    data
}

#[cfg(test)]
mod tests {
    use reqmtls_contract::Policy;

    use super::super::Axis;
    use super::*;

    fn material() -> Material {
        Material {
            certificates: Certificates::generate().expect("certificates"),
            extension: TLS_FLAGS,
            flag: 80,
            revision: Revision::Draft02,
        }
    }

    fn setups(values: &[(&str, &str)]) -> Setups {
        let mut settings = Settings::default();
        for (axis, value) in values {
            let axis = Axis::find(axis).expect(axis);
            settings.set(axis, axis.value(value).expect(value));
        }
        Setups::of(&settings, &material())
    }

    fn octets(value: &str) -> String {
        let values = [
            ("client.edit.message", "client-hello"),
            ("client.edit.value", value),
        ];
        let edits = setups(&values).actual.client.edits;
        edits[1].data.as_ref().expect("an insertion").to_string()
    }

    #[test]
    fn values_are_what_they_are_named_after() {
        assert_eq!(octets("request"), "0b0000000000000000000001");
        assert_eq!(octets("request-and-unknown"), "0b0000000000000000000003");
        assert_eq!(octets("unknown"), "0b0000000000000000000002");
        assert_eq!(octets("trailing-zero"), "0c000000000000000000000100");
        assert_eq!(octets("length-too-short"), "0a0000000000000000000001");
        assert_eq!(octets("length-too-long"), "0c0000000000000000000001");
        assert_eq!(
            (
                octets("zero-length"),
                octets("all-zero"),
                octets("no-octets")
            ),
            ("00".into(), "0100".into(), String::new())
        );
        let highest = octets("octets-255");
        assert_eq!(
            (highest.len(), &highest[..2], &highest[510..]),
            (512, "ff", "80")
        );
    }

    #[test]
    fn the_lowest_flag_has_one_octet() {
        assert_eq!(extension_data(&[0]).to_string(), "0101");
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
            revision: Revision::EditorsCopy,
            ..material()
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
