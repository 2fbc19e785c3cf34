//! The capture of one cell, as a user takes it along.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use assert_cmd::Command;
use reqmtls_observer::HandshakeType;

use super::program::tshark;
use super::shared::root;
use super::view::View;

#[tokio::test(flavor = "multi_thread")]
async fn tshark_decrypts_the_capture_of_a_cell_without_an_option() {
    let Some(tshark) = tshark().await else {
        return;
    };
    let place = tempfile::tempdir().unwrap();
    for folder in ["scenarios", "peers/rustls"] {
        fs::create_dir_all(place.path().join(folder)).unwrap();
    }
    for file in [
        "scenarios/resumption.toml",
        "scenarios/request-mtls.toml",
        "peers/rustls/peer.toml",
    ] {
        fs::copy(root().join(file), place.path().join(file)).unwrap();
    }
    let reqmtls = |arguments: &[&str]| {
        let mut command = Command::cargo_bin("reqmtls").unwrap();
        let output = command
            .arg("--root")
            .arg(place.path())
            .args(arguments)
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    reqmtls(&["run"]);
    let (_, listed, _) = reqmtls(&["list", "resumption"]);
    let resumed = listed
        .lines()
        .find(|line| line.starts_with("  resumption/"))
        .unwrap()
        .trim();
    // A cell of one connection, and one of two.
    for (case, connections) in [("request-mtls/set/present/require", 1), (resumed, 2)] {
        let capture = place.path().join("cell.pcapng");
        let to = capture.to_str().unwrap();
        let (code, out, err) = reqmtls(&["explain", case, "rustls--rustls", "--capture", to]);
        assert_eq!(code, Some(0), "{err}");
        let json = place.path().join("cell.json");
        tshark.read(&capture, place.path(), &json).await;
        let views = View::of_each_stream(&fs::read(&json).unwrap()).unwrap();
        assert_eq!(views.len(), connections, "{case}: {out}");
        let shown = format!("{views:?}");
        let finished = format!("{:?}", HandshakeType::FINISHED);
        assert!(
            shown.contains(&finished) && !shown.contains("Undecrypted"),
            "{case}: {shown}"
        );
        let mode = fs::metadata(&capture).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "it holds secrets");
    }
}
