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
    /// Whether an end breaks rules with it.
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

/// A value by which both ends keep to the rules.
const fn value(name: &'static str, about: &'static str, make: fn(&mut Draft<'_>)) -> Value {
    Value {
        name,
        about,
        make,
        misbehaves: false,
    }
}

/// A value by which the end that the axis is about breaks rules.
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

    /// The ends that break rules with these values.
    #[must_use]
    pub fn misbehaving(&self) -> Vec<Side> {
        let breaks = |side: &Side| {
            let mut values = self.iter();
            values.any(|(axis, value)| value.misbehaves && axis.side == Some(*side))
        };
        Side::BOTH.into_iter().filter(breaks).collect()
    }
}

#[cfg(test)]
mod tests {
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
    fn by_default_nobody_misbehaves() {
        assert_eq!(Settings::default().misbehaving(), []);
    }
}
