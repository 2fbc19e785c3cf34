//! Every peer as a client: whether it sets the flag.

use reqmtls::peer::{ControlError, RunningPeer};
use reqmtls_contract::{Job, Setup, Side};
use serde_json::Value;
use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;

use crate::serving::{Serving, flag_set};
use crate::shared::peers;

/// What `serve` writes of one connection of a peer; none where it cannot be set up so.
async fn served(peer: &RunningPeer, serving: &Serving, setup: Setup) -> Option<Value> {
    let ready = peer.ready().await.unwrap();
    let job = Job {
        id: "client".to_owned(),
        side: Side::Client,
        setup: Setup {
            trust_anchors: Some(serving.authority()),
            server_name: Some("localhost".to_owned()),
            deadline_ms: Some(5000),
            ..setup
        },
    };
    let mut end = match ready.prepare(job).await {
        Ok(end) => end,
        Err(ControlError::Unsupported(_)) => return None,
        Err(error) => panic!("{}: {error}", peer.name),
    };
    let outer = TcpStream::connect(("127.0.0.1", serving.ports[0])).await;
    let mut outer = outer.unwrap();
    let (mut inner, end_plays) = end.open(0).await.unwrap();
    tokio::spawn(end_plays);
    // How it ends, the server's report has.
    drop(copy_bidirectional(&mut outer, &mut inner).await);
    end.report().await.unwrap();
    Some(serving.next())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_flag_of_each_peer_that_can_send_it_is_seen_and_so_is_its_absence() {
    let serving = Serving::start(1, &[]);
    for peer in peers().await {
        let name = &peer.name;
        let sees = |setup| served(&peer, &serving, setup);
        let plain = sees(Setup::default()).await.expect("any peer can be that");
        let text = plain["transcript"].to_string();
        assert!(text.contains("ClientHello"), "{name}: {plain:#}");
        assert!(!text.contains("tls_flags"), "{name}: {plain:#}");
        let setup = Setup {
            flag: Some(80),
            ..flag_set()
        };
        let Some(flagged) = sees(setup).await else {
            eprintln!("peer {name} cannot send the flag");
            continue;
        };
        let text = flagged["transcript"].to_string();
        assert!(
            text.contains("tls_flags={request_mtls}"),
            "{name}: {flagged:#}"
        );
        assert!(text.contains("{CertificateRequest}"), "{name}: {flagged:#}");
        let numbers = (
            &flagged["knowledge"]["extension"],
            &flagged["knowledge"]["flag"],
        );
        assert_eq!(numbers, (&62.into(), &80.into()), "{name}");
        let rulings = flagged["rulings"].as_array().unwrap().iter();
        let violated = rulings.filter(|ruling| ruling["verdict"] == "violated");
        let ids: Vec<_> = violated
            .filter_map(|ruling| ruling["id"].as_str())
            .collect();
        let is_about_flags = |id: &&str| id.starts_with("TF-") || id.starts_with("RM-");
        assert!(!ids.iter().any(is_about_flags), "{name}: {ids:?}");
        peer.stop().await;
    }
}
