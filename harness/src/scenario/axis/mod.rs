//! What scenarios may vary: axes, and values that name the setup that they make.
//!
//! A value is added in the file of its axis, and an axis in the table here; nothing else knows them. What a
//! value needs of a peer follows from the setup alone (`Job::needs` of the peer contract).

mod certificate;
mod edit;
mod fault;
mod flag;
mod negotiation;
mod policy;
mod resumption;

use reqmtls_vocabulary::Side;

use super::draft::Draft;

/// One thing that a scenario may vary.
#[derive(Debug)]
pub struct Axis {
    /// How scenario files write it.
    pub name: &'static str,
    /// What it varies, in one line.
    pub about: &'static str,
    /// The end that it is about; none: both.
    pub side: Option<Side>,
    /// The axis without which it means nothing.
    pub needs: Option<Need>,
    /// Every value that it may take. The first is that of a scenario which does not name the axis.
    pub values: &'static [Value],
}

/// That an axis means nothing where another one has its default.
#[derive(Debug)]
pub struct Need {
    /// The other axis.
    pub axis: &'static str,
    /// What is so if the other one has its default in every case.
    pub without: &'static str,
}

/// A value of an axis.
#[derive(Debug)]
pub struct Value {
    /// How scenario files write it.
    pub name: &'static str,
    /// What it means, in one line.
    pub about: &'static str,
    /// What it makes of the two ends.
    pub(super) make: fn(&mut Draft<'_>),
    /// Whether the end that the axis is about misbehaves with it.
    pub misbehaves: bool,
}

impl PartialEq for Axis {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// Values of one axis are compared with each other, never those of two.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// Every axis, in the order in which the values make the setups.
pub static AXES: &[Axis] = &[
    flag::CLIENT,
    flag::SERVER,
    certificate::KEYS,
    certificate::CLIENT,
    policy::SERVER,
    policy::POST_HANDSHAKE_AUTH,
    negotiation::CLIENT_VERSIONS,
    negotiation::SERVER_VERSIONS,
    negotiation::CLIENT_GROUPS,
    negotiation::SERVER_GROUPS,
    negotiation::CIPHER,
    resumption::CLIENT,
    resumption::SERVER_SESSIONS,
    resumption::CLIENT_EARLY_DATA,
    resumption::SERVER_EARLY_DATA,
    edit::CLIENT_MESSAGE,
    edit::CLIENT_VALUE,
    edit::CLIENT_POSITION,
    edit::CLIENT_EXTENSION,
    edit::SERVER_MESSAGE,
    edit::SERVER_VALUE,
    edit::SERVER_POSITION,
    edit::SERVER_EXTENSION,
    fault::CLIENT,
    fault::SERVER,
];

/// A value with which no end misbehaves.
const fn value(name: &'static str, about: &'static str, make: fn(&mut Draft<'_>)) -> Value {
    Value {
        name,
        about,
        make,
        misbehaves: false,
    }
}

/// A value with which the end that the axis is about misbehaves: it deliberately violates rules.
const fn misbehaviour(name: &'static str, about: &'static str, make: fn(&mut Draft<'_>)) -> Value {
    Value {
        name,
        about,
        make,
        misbehaves: true,
    }
}

/// Leaves both ends as they are.
fn nothing(_: &mut Draft<'_>) {}

impl Axis {
    /// The axis of that name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        AXES.iter().find(|axis| axis.name == name)
    }

    /// The value of that name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&'static Value> {
        self.values.iter().find(|value| value.name == name)
    }

    /// The value of a scenario that does not name the axis.
    #[must_use]
    pub fn default(&self) -> &'static Value {
        &self.values[0]
    }
}

/// The value of every axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings(Vec<&'static Value>);

impl Default for Settings {
    fn default() -> Self {
        Self(AXES.iter().map(Axis::default).collect())
    }
}

impl Settings {
    /// The value of every axis, in the order of [`AXES`].
    pub fn iter(&self) -> impl Iterator<Item = (&'static Axis, &'static Value)> + '_ {
        AXES.iter().zip(self.0.iter().copied())
    }

    /// The value of an axis.
    #[must_use]
    pub fn get(&self, axis: &Axis) -> Option<&'static Value> {
        self.iter()
            .find(|(other, _)| *other == axis)
            .map(|(_, value)| value)
    }

    /// Sets an axis to one of its values.
    pub(super) fn set(&mut self, axis: &Axis, value: &'static Value) {
        for (other, here) in AXES.iter().zip(&mut self.0) {
            if other == axis {
                *here = value;
            }
        }
    }

    /// The ends that misbehave with these values.
    #[must_use]
    pub fn misbehaving(&self) -> Vec<Side> {
        let misbehaves = |side: &Side| {
            let mut values = self.iter();
            values.any(|(axis, value)| value.misbehaves && axis.side == Some(*side))
        };
        Side::BOTH.into_iter().filter(misbehaves).collect()
    }
}

#[cfg(test)]
mod tests {
    use reqmtls_contract::Revision;

    use super::super::{Material, Setups};
    use super::*;

    #[test]
    fn every_value_of_every_axis_can_be_set_and_read() {
        for axis in AXES {
            for value in axis.values {
                let mut settings = Settings::default();
                settings.set(axis, value);
                assert_eq!(settings.get(axis), Some(value));
                assert_eq!(axis.value(value.name), Some(value));
            }
        }
    }

    /// Whether every two values of an axis make different setups, with the other axes at these values.
    fn differ(axis: &Axis, others: &[(&str, &str)]) -> bool {
        let mut settings = Settings::default();
        let needs = axis.needs.as_ref();
        let needed = needs.map(|need| Axis::find(need.axis).expect(need.axis));
        if let Some(needed) = needed {
            settings.set(needed, &needed.values[1]);
        }
        for (other, value) in others {
            let other = Axis::find(other).expect(other);
            settings.set(other, other.value(value).expect(value));
        }
        let material = Material::nominal(Revision::EditorsCopy);
        let setups = axis.values.iter().map(|value| {
            let mut settings = settings.clone();
            settings.set(axis, value);
            Setups::of(&settings, &material)
        });
        let setups: Vec<_> = setups.collect();
        let mut pairs = (0..setups.len()).flat_map(|one| (0..one).map(move |other| (one, other)));
        pairs.all(|(one, other)| setups[one] != setups[other])
    }

    #[test]
    fn every_two_values_of_an_axis_make_different_setups() {
        let on_flag = [("client.flag", "set"), ("server.policy", "require-on-flag")];
        for axis in AXES {
            let can_differ = differ(axis, &[]) || differ(axis, &on_flag);
            assert!(can_differ, "{}", axis.name);
        }
    }

    #[test]
    fn what_an_axis_needs_is_an_axis_that_needs_none() {
        for axis in AXES {
            let Some(need) = &axis.needs else { continue };
            let other = Axis::find(need.axis).expect(need.axis);
            assert!(other.needs.is_none(), "{}", axis.name);
        }
    }

    #[test]
    fn names_are_unique_and_written_one_way() {
        let tidy = |name: &str, also: &str| {
            let allowed =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || also.contains(c);
            !name.is_empty() && name.chars().all(allowed)
        };
        for axis in AXES {
            assert_eq!(AXES.iter().filter(|other| *other == axis).count(), 1);
            assert!(tidy(axis.name, ".-"), "{}", axis.name);
            for value in axis.values {
                let same = axis.values.iter().filter(|other| *other == value);
                assert_eq!(same.count(), 1, "{}", value.name);
                assert!(tidy(value.name, "-_"), "{}", value.name);
            }
        }
    }

    #[test]
    fn axes_are_named_after_their_side() {
        for axis in AXES {
            let named = Side::BOTH
                .into_iter()
                .find(|side| axis.name.starts_with(side.as_str()));
            assert_eq!(named, axis.side, "{}", axis.name);
        }
    }

    #[test]
    fn documentation_is_one_sentence() {
        for axis in AXES {
            let values = axis.values.iter().map(|value| value.about);
            for about in values.chain([axis.about]) {
                assert!(about.ends_with('.') && !about.contains('\n'), "{about}");
            }
        }
    }

    #[test]
    fn by_default_no_end_misbehaves() {
        assert_eq!(Settings::default().misbehaving(), []);
    }
}
