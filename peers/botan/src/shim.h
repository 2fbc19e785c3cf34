// What the peer uses of Botan's TLS, for which the library has no C interface.
#pragma once

#include <stddef.h>
#include <stdint.h>

extern "C" {

// Octets that the other side of a call owns; without data where there are none.
struct Octets {
    const uint8_t* data;
    size_t length;
};

// The library's text of what made a call fail.
struct Failure {
    char text[256];
};

// What the library asks of, or shows, the connection that `context` is of.
struct Hooks {
    // Octets for the other end.
    void (*emit)(void* context, Octets octets);
    // Application data.
    void (*data)(void* context, Octets octets);
    // An alert from the other end.
    void (*alert)(void* context, uint8_t description, bool fatal);
    // A secret of the key log.
    void (*secret)(void* context, Octets label, Octets client_random, Octets secret);
    // What a message that comes has of tls_flags and supported_versions: the alert to refuse it by, or 0. Of
    // ClientHello, `asks` is set to whether the client is asked for a certificate.
    uint8_t (*examine)(void* context, uint8_t message, Octets tls_flags, Octets versions, bool* asks);
    // The tls_flags that go into a message, if any.
    Octets (*modify)(void* context, uint8_t message);
};

// An end of a job. What it points to outlives the job; text is null where there is none.
struct Setup {
    Hooks hooks;
    bool is_server;
    // In the library's own format for policies. Under `tls13_ciphersuites` it may name those, as the library does.
    const char* policy;
    const char* certificates;
    const char* private_key;
    const char* trust_anchors;
    const char* server_name;
    // The number of tls_flags; 0: the hooks neither see nor add extensions.
    uint16_t extension;
    // Server: whether it asks where no hook decides, and refuses whom it asked in vain.
    bool asks;
    bool insists;
    // Server: it resumes only sessions that were made with the same decision to ask.
    bool separates_sessions;
    bool keeps_sessions;
};

// What a connection shows.
struct State {
    bool active;
    bool closed_for_reading;
    bool resumed;
    bool has_certificate;
    // SHA-256 of the other end's certificate.
    uint8_t certificate[32];
};

struct Job;
struct Connection;

const char* botan_version();

// Null on failure.
Job* botan_job(const Setup* setup, Failure* failure);
void botan_job_free(Job* job);

// Null on failure. A client emits ClientHello at once. The job must outlive it.
Connection* botan_connection(const Job* job, void* context, Failure* failure);
void botan_connection_free(Connection* connection);
State botan_state(const Connection* connection);

// 0; on failure the alert that the library sent, or -1 if it shows none.
int botan_receive(Connection* connection, Octets octets, Failure* failure);
int botan_send(Connection* connection, Octets octets, Failure* failure);
int botan_close(Connection* connection, Failure* failure);
}
