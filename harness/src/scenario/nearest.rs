//! The word that is probably meant by a misspelt one.

/// The candidate nearest to `word`, if one is close enough to be worth asking about.
///
/// Case and the choice between `-`, `_` and `.` cost nothing. Otherwise about a third
/// of the letters may differ. Of several equally near the first wins.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    // Far longer than any word of a scenario: nothing is near it, and comparing would be slow.
    const LONGEST: usize = 200;
    if word.len() > LONGEST {
        return None;
    }
    let plain = plain(word);
    let limit = (plain.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&plain, &self::plain(candidate)),
                candidate,
            )
        })
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn plain(word: &str) -> String {
    word.trim().to_lowercase().replace(['_', '.', ' '], "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [&str; 4] = ["set", "unset", "request", "request-on-flag"];

    #[test]
    fn finds_a_misspelt_word() {
        assert_eq!(nearest("reqest", WORDS), Some("request"));
        assert_eq!(nearest("sett", WORDS), Some("set"));
        assert_eq!(nearest("usnet", WORDS), Some("unset"));
    }

    #[test]
    fn ignores_case_and_separators() {
        assert_eq!(nearest("Request_On.Flag", WORDS), Some("request-on-flag"));
    }

    #[test]
    fn finds_nothing_for_a_word_of_another_kind() {
        assert_eq!(nearest("certificate", WORDS), None);
        assert_eq!(nearest("", WORDS), None);
        assert_eq!(nearest(&"set".repeat(1000), WORDS), None);
    }
}
