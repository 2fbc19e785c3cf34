//! RFC 9846 on alerts and the end of a connection.

use reqmtls_observer::{AlertLevel, Ending, Epoch};

use super::examples::{Example, Kind::*, examples};
use super::scene::{CLIENT, SERVER, Scene, asked, not_asked};
use crate::judge::finding::Party;

const APPLICATION: Epoch = Epoch::Application;
const WARNING: AlertLevel = AlertLevel::WARNING;

fn exchanged() -> Scene {
    not_asked().client_flight(None).data(CLIENT).data(SERVER)
}

/// A server that sends an error alert at a level.
fn refused(level: AlertLevel) -> Scene {
    let scene = asked().client_flight(Some(0));
    scene.any_alert(SERVER, APPLICATION, level, 116)
}

fn canceled(side: reqmtls_observer::Side) -> Scene {
    not_asked().any_alert(side, Epoch::Handshake, WARNING, 90)
}

fn tls12() -> Scene {
    Scene::new()
        .hello(&[])
        .server_hello12(&[])
        .any_alert(CLIENT, APPLICATION, WARNING, 90)
}

examples! {
    close_notify_of_the_client_satisfies_tls_10:
        "TLS-10" Client Satisfied => exchanged().close_notify(CLIENT);
    close_notify_of_the_server_satisfies_tls_10:
        "TLS-10" Server Satisfied => exchanged().close_notify(SERVER);
    a_client_that_closes_without_it_violates_tls_10:
        "TLS-10" Client Violated => exchanged().close_notify(SERVER);
    a_server_that_closes_without_it_violates_tls_10:
        "TLS-10" Server Violated => exchanged().close_notify(CLIENT);
    a_client_that_resets_violates_tls_10:
        "TLS-10" Client Violated => exchanged().ending(CLIENT, Ending::Reset).ends(CLIENT);
    closing_a_handshake_that_the_other_side_closed_is_shown:
        "TLS-10" Client Informational => asked().close_notify(SERVER).ends(CLIENT);
    closing_after_a_fatal_close_notify_is_shown:
        "TLS-10" Client Informational => exchanged().any_alert(SERVER, APPLICATION, AlertLevel::FATAL, 0).ends(CLIENT);
    tls_10_says_nothing_of_a_client_whom_the_server_left_without_a_word:
        "TLS-10" Client Silent => Scene::new().hello(&[]).ends(SERVER);
    canceling_is_no_error_alert:
        "TLS-10" Client Violated => canceled(CLIENT);
    closing_after_its_own_alert_satisfies_tls_10:
        "TLS-10" Server Satisfied => refused(AlertLevel::FATAL);
    closing_after_the_other_sides_alert_satisfies_tls_10:
        "TLS-10" Client Satisfied => refused(AlertLevel::FATAL);
    the_level_of_an_error_alert_does_not_matter:
        "TLS-10" Client Satisfied => refused(WARNING);
    sending_more_after_an_error_alert_violates_tls_10:
        "TLS-10" Server Violated => refused(AlertLevel::FATAL).data(SERVER).after_end(SERVER);
    sending_more_after_close_notify_violates_tls_10:
        "TLS-10" Client Violated => exchanged().close_notify(CLIENT).data(CLIENT).after_end(CLIENT);
    tls_10_says_nothing_of_a_client_direction_that_is_open:
        "TLS-10" Client Silent => exchanged().ending(CLIENT, Ending::Open);
    tls_10_says_nothing_of_a_server_direction_that_is_open:
        "TLS-10" Server Silent => refused(AlertLevel::FATAL).ending(SERVER, Ending::Open);
    tls_10_says_nothing_of_a_server_that_sent_nothing:
        "TLS-10" Server Silent => Scene::new().hello(&[]).ends(SERVER);
    tls_10_says_nothing_of_a_server_whose_client_tore_the_connection_down:
        "TLS-10" Server Silent => exchanged().ending(CLIENT, Ending::Reset).ends(CLIENT);
    tls_10_says_nothing_of_what_cannot_be_read:
        "TLS-10" Client Silent => exchanged().unreadable(CLIENT, APPLICATION);
    tls_10_says_nothing_of_tls_12:
        "TLS-10" Client Silent => tls12();

    close_notify_after_canceling_satisfies_tls_20:
        "TLS-20" Client Satisfied => canceled(CLIENT).close_notify(CLIENT);
    closing_after_canceling_violates_tls_20:
        "TLS-20" Client Violated => canceled(CLIENT);
    an_error_alert_after_canceling_violates_tls_20:
        "TLS-20" Client Violated => canceled(CLIENT).client_sends(40);
    close_notify_of_a_server_after_canceling_satisfies_tls_20:
        "TLS-20" Server Satisfied => canceled(SERVER).close_notify(SERVER);
    closing_of_a_server_after_canceling_violates_tls_20:
        "TLS-20" Server Violated => canceled(SERVER);
    tls_20_says_nothing_of_a_client_that_does_not_cancel:
        "TLS-20" Client Silent => exchanged();
    tls_20_says_nothing_of_a_direction_that_is_open:
        "TLS-20" Server Silent => canceled(SERVER).ending(SERVER, Ending::Open);
    tls_20_says_nothing_where_the_other_side_sent_an_alert:
        "TLS-20" Client Silent => canceled(CLIENT).server_sends(80);

    close_notify_at_level_warning_satisfies_tls_21:
        "TLS-21" Client Satisfied => exchanged().close_notify(CLIENT);
    close_notify_at_level_fatal_violates_tls_21:
        "TLS-21" Client Violated => exchanged().any_alert(CLIENT, APPLICATION, AlertLevel::FATAL, 0);
    an_error_alert_at_level_fatal_satisfies_tls_21:
        "TLS-21" Server Satisfied => refused(AlertLevel::FATAL);
    an_error_alert_at_level_warning_violates_tls_21:
        "TLS-21" Server Violated => refused(WARNING);
    tls_21_says_nothing_of_user_canceled:
        "TLS-21" Client Silent => canceled(CLIENT);
    tls_21_says_nothing_of_an_alert_that_is_not_listed:
        "TLS-21" Server Silent => asked().any_alert(SERVER, APPLICATION, WARNING, 121);
}
