//! Whatever a file contains, reading it ends with a scenario or with diagnostics.

use super::*;

/// Reads a text, and renders what is wrong with it.
fn read(text: &str) {
    if let Err(wrong) = parse(Path::new("some.toml"), text) {
        assert!(!wrong.to_string().is_empty());
    }
}

proptest::proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,400}") {
        read(&text);
    }

    #[test]
    fn arbitrary_octets_never_panic(octets in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        read(&String::from_utf8_lossy(&octets));
    }

    #[test]
    fn a_damaged_scenario_never_panics(from in 0..CORE.len(), octets in 0..40_usize, with in ".{0,6}") {
        let mut text = CORE.to_owned();
        let until = text.ceil_char_boundary((from + octets).min(text.len()));
        text.replace_range(text.floor_char_boundary(from)..until, &with);
        read(&text);
    }

    #[test]
    fn shuffled_lines_never_panic(seed in proptest::collection::vec(0..80_usize, 0..80)) {
        let lines: Vec<_> = CORE.lines().collect();
        let text: Vec<_> = seed.iter().map(|index| lines[index % lines.len()]).collect();
        read(&text.join("\n"));
    }
}
