/// Declares a closed set of words: an enum whose values have one name each, in Rust, in files and on the wire.
///
/// Each value's documentation is its description in schemas and help texts. The enum serialises as its name;
/// an unknown name is an error that lists the known ones.
#[macro_export]
macro_rules! words {
    (
        $(#[$meta:meta])*
        $visibility:vis enum $name:ident { $(
            #[doc = $about:literal]
            $(#[doc = $more:literal])*
            $variant:ident = $text:literal,
        )+ }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        $visibility enum $name {
            $(#[doc = $about] $(#[doc = $more])* $variant,)+
        }

        impl $name {
            /// Every value, in the order of declaration.
            $visibility const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The value's name.
            #[must_use]
            $visibility const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// What the value means.
            #[must_use]
            $visibility const fn about(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($about, $($more,)*).trim_ascii(),)+
                }
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or_else(|| {
                    let names: Vec<_> = Self::ALL.iter().map(|value| value.as_str()).collect();
                    format!("got {text:?}, expected one of {}", names.join(", "))
                })
            }
        }

        impl $crate::serde::Serialize for $name {
            fn serialize<S: $crate::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> $crate::serde::Deserialize<'de> for $name {
            fn deserialize<D: $crate::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as $crate::serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err($crate::serde::de::Error::custom)
            }
        }

        $crate::schema_of_words!($name);
    };
}

/// The JSON Schema of a set of words: each with what it means.
#[cfg(feature = "schema")]
#[doc(hidden)]
#[macro_export]
macro_rules! schema_of_words {
    ($name:ident) => {
        impl $crate::schemars::JsonSchema for $name {
            fn schema_name() -> ::std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut $crate::schemars::SchemaGenerator) -> $crate::schemars::Schema {
                let word = |it: &Self| $crate::schemars::json_schema!({ "const": it.as_str(), "description": it.about() });
                let words: Vec<_> = Self::ALL.iter().map(word).collect();
                $crate::schemars::json_schema!({ "oneOf": words })
            }
        }
    };
}

/// Peers need no schema.
#[cfg(not(feature = "schema"))]
#[doc(hidden)]
#[macro_export]
macro_rules! schema_of_words {
    ($name:ident) => {};
}

#[cfg(test)]
mod tests {
    words! {
        /// Two drinks.
        enum Drink {
            /// From leaves,
            /// with water.
            Tea = "tea",
            /// From beans.
            Coffee = "coffee",
        }
    }

    #[test]
    fn words_round_trip() {
        for drink in Drink::ALL {
            assert_eq!(drink.to_string().parse(), Ok(*drink));
            let json = serde_json::to_string(drink).unwrap();
            assert_eq!(serde_json::from_str::<Drink>(&json).unwrap(), *drink);
        }
        assert_eq!(Drink::Coffee.as_str(), "coffee");
    }

    #[test]
    fn words_say_what_they_mean() {
        assert_eq!(Drink::Tea.about(), "From leaves, with water.");
    }

    #[test]
    fn an_unknown_word_is_an_error_that_lists_the_known_ones() {
        let error = serde_json::from_str::<Drink>("\"Tea\"")
            .unwrap_err()
            .to_string();
        assert_eq!(error, "got \"Tea\", expected one of tea, coffee");
    }
}
