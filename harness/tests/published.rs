//! Every command that the published results name selects at least one cell.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use assert_cmd::Command;

/// The arguments of each command in backticks that runs cells.
fn commands(text: &str) -> BTreeSet<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    let run = quoted.filter_map(|text| text.strip_prefix("reqmtls run"));
    run.map(|arguments| arguments.trim().to_owned()).collect()
}

#[test]
fn commands_are_those_in_backticks_that_run_cells() {
    let text =
        "`reqmtls run` writes; `reqmtls run a/b --client c` and `reqmtls peers`, not reqmtls run x";
    let expected = ["", "a/b --client c"].map(str::to_owned);
    assert_eq!(commands(text), BTreeSet::from(expected));
}

#[test]
fn the_readme_counts_programs_as_their_chapter_does() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
    let (readme, chapter) = (read("README.md"), read("results/programs.md"));
    // What the README says behind its numbers, and what stands before them in the chapter.
    let pairs = [
        (
            " programs without a certificate go on",
            "**complete, and drop no connection before**: ",
        ),
        (
            ", Chromium and Firefox in two settings, drop",
            "**complete, and drop connections before**: ",
        ),
        (
            " with a certificate, headless Chromium and Firefox, show",
            "asking everyone hurts most who has one**: ",
        ),
    ];
    for (said, heading) in pairs {
        let said = readme.lines().find_map(|line| line.split_once(said));
        let (said, _) =
            said.unwrap_or_else(|| panic!("the README lost what stands for {heading:?}"));
        let shown = chapter.lines().find_map(|line| line.split_once(heading));
        let (_, shown) = shown.unwrap_or_else(|| panic!("no line of the chapter has {heading:?}"));
        let shown = shown.split_once(':').map_or(shown, |(count, _)| count);
        assert_eq!(said.trim_start_matches("* "), shown.trim(), "{heading}");
    }
    assert!(readme.contains("* None of the 33 is asked by the same server"));
    assert!(chapter.contains("* **are not asked on any connection, and complete**: all 33"));
}

#[test]
fn every_published_command_selects_a_cell() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
    let readme = read("README.md");
    let (_, findings) = readme.split_once("<!-- findings -->").unwrap();
    let (findings, _) = findings.split_once("<!-- end of findings -->").unwrap();
    let pages = findings.split("](").skip(1);
    let pages: Vec<_> = pages
        .filter_map(|rest| Some(rest.split_once(')')?.0))
        .collect();
    assert!(!pages.is_empty(), "the README's table names pages");
    let matrices = ["results/matrix.md", "results/editors-copy/matrix.md"];
    let mut all = BTreeSet::new();
    for name in matrices.into_iter().chain(pages) {
        let found = commands(&read(name));
        assert!(found.len() > 1, "{name} names commands");
        all.extend(found);
    }
    for arguments in all {
        // `list` takes what `run` does, and says how many cells that is.
        let output = Command::cargo_bin("reqmtls")
            .unwrap()
            .arg("--root")
            .arg(root)
            .arg("list")
            .args(arguments.split_whitespace())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        let count = text.lines().last().unwrap_or_default();
        assert!(
            output.status.success() && !count.ends_with(", 0 cells"),
            "reqmtls run {arguments}: {count}{errors}"
        );
    }
}
