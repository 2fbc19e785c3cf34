//! Closed sets of words that scenario files may use, each word with its documentation.

/// A closed set of words.
pub trait Choice: Copy + Eq + Sized + 'static {
    /// Every member, in order of declaration.
    const ALL: &'static [Self];
    /// The word of every member, in the same order.
    const WORDS: &'static [Word];

    /// The word of this member.
    fn word(self) -> &'static Word;

    /// How scenario files write this member.
    fn name(self) -> &'static str {
        self.word().name
    }

    /// The member that scenario files write that way.
    fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|choice| choice.name() == name)
    }
}

/// One word of a [`Choice`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Word {
    /// How scenario files write it.
    pub name: &'static str,
    /// What it means, in one line.
    pub about: &'static str,
    /// The capability of the peer contract that it needs, if any.
    pub capability: Option<&'static str>,
}

/// Declares an enum that is a [`Choice`]: variant, word, capability and documentation in one place.
macro_rules! choices {
    (
        $( #[doc = $about:literal] )+
        $visibility:vis enum $name:ident {
            $(
                #[doc = $doc:literal]
                $variant:ident = $word:literal $( needs $capability:literal )?
            ),+ $(,)?
        }
    ) => {
        $( #[doc = $about] )+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $visibility enum $name {
            $( #[doc = $doc] $variant ),+
        }

        impl $crate::scenario::Choice for $name {
            const ALL: &'static [Self] = &[ $( Self::$variant ),+ ];
            const WORDS: &'static [$crate::scenario::Word] = &[ $(
                $crate::scenario::Word {
                    name: $word,
                    about: $doc.trim_ascii(),
                    capability: [ $( Some($capability), )? None ][0],
                }
            ),+ ];

            fn word(self) -> &'static $crate::scenario::Word {
                &Self::WORDS[self as usize]
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad($crate::scenario::Choice::name(*self))
            }
        }
    };
}

pub(super) use choices;

#[cfg(test)]
mod tests {
    use super::*;

    choices! {
        /// Two drinks.
        enum Drink {
            /// From leaves.
            Tea = "tea",
            /// From beans.
            Coffee = "coffee" needs "beans",
        }
    }

    #[test]
    fn words_round_trip() {
        for drink in Drink::ALL {
            assert_eq!(Drink::parse(drink.name()), Some(*drink));
        }
        assert_eq!(Drink::parse("Tea"), None);
        assert_eq!(Drink::Coffee.to_string(), "coffee");
    }

    #[test]
    fn words_carry_documentation_and_capability() {
        assert_eq!(Drink::Tea.word().about, "From leaves.");
        assert_eq!(Drink::Tea.word().capability, None);
        assert_eq!(Drink::Coffee.word().capability, Some("beans"));
    }
}
