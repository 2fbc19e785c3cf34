// The functions of shim.h: a connection with the callbacks, credentials, policy and sessions that Botan asks it for.
#include "shim.h"

#include <algorithm>
#include <array>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <botan/certstor.h>
#include <botan/credentials_manager.h>
#include <botan/data_src.h>
#include <botan/hash.h>
#include <botan/pkcs8.h>
#include <botan/system_rng.h>
#include <botan/tls.h>
#include <botan/tls_extensions.h>
#include <botan/tls_session_manager_noop.h>
#include <botan/version.h>
#include <botan/x509cert.h>

using namespace Botan;

struct Job {
    explicit Job(const Setup& of) : setup(of) {}

    Setup setup;
    std::vector<X509_Certificate> chain;
    std::shared_ptr<Private_Key> key;
    std::unique_ptr<Certificate_Store_In_Memory> trusted = std::make_unique<Certificate_Store_In_Memory>();
    std::shared_ptr<RandomNumberGenerator> rng = std::make_shared<System_RNG>();
    // Of connections that were not asked for a certificate, and of those that were.
    std::array<std::shared_ptr<TLS::Session_Manager>, 2> sessions;
};

namespace {

Octets octets(std::span<const uint8_t> data) {
    return {data.data(), data.size()};
}

// What is there but empty has an address too.
Octets octets(const std::optional<std::vector<uint8_t>>& data) {
    static const uint8_t nothing = 0;
    return {data && data->empty() ? &nothing : data ? data->data() : nullptr, data ? data->size() : 0};
}

class Flags final : public TLS::Extension {
  public:
    Flags(TLS::Extension_Code type, Octets data) : m_type(type), m_data(data.data, data.data + data.length) {}

    TLS::Extension_Code type() const override { return m_type; }

    std::vector<uint8_t> serialize(TLS::Connection_Side /*side*/) const override { return m_data; }

    bool empty() const override { return false; }

  private:
    TLS::Extension_Code m_type;
    std::vector<uint8_t> m_data;
};

std::vector<X509_Certificate> certificates(std::string_view pem) {
    constexpr std::string_view begin = "-----BEGIN";
    std::vector<X509_Certificate> list;
    for(auto at = pem.find(begin); at != pem.npos; at = pem.find(begin, at + 1)) {
        DataSource_Memory source(pem.substr(at));
        list.emplace_back(source);
    }
    return list;
}

void note(Failure* failure, const std::exception& error) {
    const std::string_view text = error.what();
    failure->text[text.copy(failure->text, sizeof failure->text - 1)] = 0;
}

}  // namespace

// The server's session manager too, where that depends on a decision that is taken after the server is made.
struct Connection final : TLS::Callbacks, Credentials_Manager, TLS::Text_Policy, TLS::Session_Manager {
    Connection(const Job& of, void* with) :
            TLS::Text_Policy(of.setup.policy),
            TLS::Session_Manager(of.rng),
            job(of),
            setup(of.setup),
            context(with),
            asks(of.setup.asks) {
        const auto callbacks = shared<TLS::Callbacks>();
        const auto credentials = shared<Credentials_Manager>();
        const auto policy = shared<TLS::Policy>();
        const auto sessions = setup.separates_sessions ? shared<TLS::Session_Manager>() : job.sessions[0];
        if(setup.is_server) {
            channel = std::make_unique<TLS::Server>(callbacks, sessions, credentials, policy, job.rng);
        } else {
            const TLS::Server_Information server(setup.server_name);
            const auto version = latest_supported_version(false);
            channel =
                std::make_unique<TLS::Client>(callbacks, sessions, credentials, policy, job.rng, server, version);
        }
    }

    // This is what the channel shares, which ends before it.
    template <typename T>
    std::shared_ptr<T> shared() {
        return {std::shared_ptr<void>(), static_cast<T*>(this)};
    }

    void tls_emit_data(std::span<const uint8_t> data) override { setup.hooks.emit(context, octets(data)); }

    void tls_record_received(uint64_t /*number*/, std::span<const uint8_t> data) override {
        setup.hooks.data(context, octets(data));
    }

    void tls_alert(TLS::Alert alert) override {
        setup.hooks.alert(context, static_cast<uint8_t>(alert.type()), alert.is_fatal());
    }

    void tls_ssl_key_log_data(std::string_view label,
                              std::span<const uint8_t> client_random,
                              std::span<const uint8_t> secret) const override {
        const Octets name{reinterpret_cast<const uint8_t*>(label.data()), label.size()};
        setup.hooks.secret(context, name, octets(client_random), octets(secret));
    }

    void tls_session_established(const TLS::Session_Summary& session) override { resumed = session.was_resumption(); }

    void tls_examine_extensions(const TLS::Extensions& extensions,
                                TLS::Connection_Side /*sender*/,
                                TLS::Handshake_Type message) override {
        if(setup.extension == 0) {
            return;
        }
        const auto flags = extensions.extension_raw_bytes(number());
        const auto versions = extensions.extension_raw_bytes(TLS::Extension_Code::SupportedVersions);
        const auto alert = setup.hooks.examine(
            context, static_cast<uint8_t>(message), octets(flags), octets(versions), &asks);
        if(alert != 0) {
            throw TLS::TLS_Exception(static_cast<TLS::AlertType>(alert),
                                     "got tls_flags that are malformed, or in a message that has no place for them");
        }
    }

    void tls_modify_extensions(TLS::Extensions& extensions,
                               TLS::Connection_Side /*sender*/,
                               TLS::Handshake_Type message) override {
        // A second ClientHello is made of the first, and has the extension.
        if(setup.extension == 0 || extensions.has(number())) {
            return;
        }
        const auto flags = setup.hooks.modify(context, static_cast<uint8_t>(message));
        if(flags.data != nullptr) {
            extensions.add(std::make_unique<Flags>(number(), flags));
            // It has to stay the last.
            extensions.reorder(std::array{TLS::Extension_Code::PresharedKey});
        }
    }

    TLS::Extension_Code number() const { return static_cast<TLS::Extension_Code>(setup.extension); }

    // A server that trusts somebody asks for a certificate.
    std::vector<Certificate_Store*> trusted_certificate_authorities(const std::string& /*type*/,
                                                                    const std::string& /*host*/) override {
        std::vector<Certificate_Store*> stores;
        if(!setup.is_server || asks) {
            stores.push_back(job.trusted.get());
        }
        return stores;
    }

    // Whatever authorities are named: servers are to be seen with what they do not trust, too.
    std::vector<X509_Certificate> find_cert_chain(const std::vector<std::string>& key_types,
                                                  const std::vector<AlgorithmIdentifier>& /*schemes*/,
                                                  const std::vector<X509_DN>& /*authorities*/,
                                                  const std::string& /*type*/,
                                                  const std::string& /*host*/) override {
        const bool usable = job.key && std::ranges::count(key_types, job.key->algo_name()) > 0;
        return usable ? job.chain : std::vector<X509_Certificate>();
    }

    std::shared_ptr<Private_Key> private_key_for(const X509_Certificate& /*certificate*/,
                                                 const std::string& /*type*/,
                                                 const std::string& /*host*/) override {
        return job.key;
    }

    bool request_client_certificate_authentication() const override { return asks; }

    bool require_client_certificate_authentication() const override { return asks && setup.insists; }

    std::vector<uint16_t> ciphersuite_list(TLS::Protocol_Version version) const override {
        const auto names = get_list("tls13_ciphersuites", {});
        if(version.is_pre_tls_13() || names.empty()) {
            return TLS::Text_Policy::ciphersuite_list(version);
        }
        std::vector<uint16_t> suites;
        for(const auto& name : names) {
            suites.push_back(TLS::Ciphersuite::from_name(name).value().ciphersuite_code());
        }
        return suites;
    }

    TLS::Session_Manager& chosen() { return *job.sessions[asks ? 1 : 0]; }

    void store(const TLS::Session& session, const TLS::Session_Handle& handle) override {
        chosen().store(session, handle);
    }

    std::optional<TLS::Session> retrieve(const TLS::Session_Handle& handle,
                                         TLS::Callbacks& callbacks,
                                         const TLS::Policy& policy) override {
        return chosen().retrieve(handle, callbacks, policy);
    }

    size_t remove(const TLS::Session_Handle& handle) override { return chosen().remove(handle); }

    size_t remove_all() override { return chosen().remove_all(); }

    // Never called: of the base class, only what is replaced here calls it, and what a client calls.
    std::optional<TLS::Session> retrieve_one(const TLS::Session_Handle& /*handle*/) override { return std::nullopt; }

    std::vector<TLS::Session_with_Handle> find_some(const TLS::Server_Information& /*server*/,
                                                    size_t /*most*/) override {
        return {};
    }

    // What a call of the library is for the caller of shim.h.
    template <typename F>
    int done(Failure* failure, F call) {
        try {
            call();
            return 0;
        } catch(const TLS::TLS_Exception& error) {
            note(failure, error);
            // After close_notify the library sends no alert.
            return has_closed ? -1 : static_cast<int>(error.type());
        } catch(const std::exception& error) {
            note(failure, error);
            return -1;
        }
    }

    const Job& job;
    const Setup& setup;
    void* context;
    // Server: whether this client is asked for a certificate.
    bool asks;
    bool resumed = false;
    bool has_closed = false;
    std::unique_ptr<TLS::Channel> channel;
};

extern "C" {

const char* botan_version() {
    return short_version_cstr();
}

Job* botan_job(const Setup* setup, Failure* failure) try {
    auto job = std::make_unique<Job>(*setup);
    if(setup->certificates != nullptr) {
        job->chain = certificates(setup->certificates);
        DataSource_Memory source{std::string_view(setup->private_key)};
        job->key = PKCS8::load_key(source);
        if(job->chain.empty()) {
            throw Invalid_Argument("identity without a certificate");
        }
    }
    if(setup->trust_anchors != nullptr) {
        for(const auto& certificate : certificates(setup->trust_anchors)) {
            job->trusted->add_certificate(certificate);
        }
    }
    for(auto& sessions : job->sessions) {
        if(setup->keeps_sessions) {
            sessions = std::make_shared<TLS::Session_Manager_In_Memory>(job->rng);
        } else {
            sessions = std::make_shared<TLS::Session_Manager_Noop>();
        }
    }
    return job.release();
} catch(const std::exception& error) {
    note(failure, error);
    return nullptr;
}

void botan_job_free(Job* job) {
    delete job;
}

Connection* botan_connection(const Job* job, void* context, Failure* failure) try {
    return new Connection(*job, context);
} catch(const std::exception& error) {
    note(failure, error);
    return nullptr;
}

void botan_connection_free(Connection* connection) {
    delete connection;
}

State botan_state(const Connection* connection) {
    const auto& channel = *connection->channel;
    const auto chain = channel.peer_cert_chain();
    State state{channel.is_active(), channel.is_closed_for_reading(), connection->resumed, !chain.empty(), {}};
    if(state.has_certificate) {
        const auto hash = HashFunction::create_or_throw("SHA-256");
        hash->update(chain[0].BER_encode());
        hash->final(std::span(state.certificate));
    }
    return state;
}

int botan_receive(Connection* connection, Octets octets, Failure* failure) {
    return connection->done(failure, [&] { connection->channel->received_data(octets.data, octets.length); });
}

int botan_send(Connection* connection, Octets octets, Failure* failure) {
    return connection->done(failure, [&] { connection->channel->send(octets.data, octets.length); });
}

int botan_close(Connection* connection, Failure* failure) {
    connection->has_closed = true;
    return connection->done(failure, [&] { connection->channel->close(); });
}
}
