package reqmtls;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.bouncycastle.tls.CipherSuite;
import org.bouncycastle.tls.NamedGroup;
import org.bouncycastle.tls.ProtocolVersion;
import org.bouncycastle.tls.TlsException;
import org.bouncycastle.tls.TlsProtocol;
import org.bouncycastle.tls.crypto.impl.bc.BcTlsCrypto;

/** Bouncy Castle's TLS, by its own interface and not by that of JSSE. */
final class BouncyCastle implements Library {
    private static final Map<String, ProtocolVersion> VERSIONS =
            Map.of("tls1.2", ProtocolVersion.TLSv12, "tls1.3", ProtocolVersion.TLSv13);
    private static final Map<String, Integer> GROUPS = Map.of(
            "x25519", NamedGroup.x25519, "secp256r1", NamedGroup.secp256r1, "secp384r1", NamedGroup.secp384r1);
    private static final Map<String, Integer> SUITES = Map.of(
            "TLS_AES_128_GCM_SHA256", CipherSuite.TLS_AES_128_GCM_SHA256,
            "TLS_AES_256_GCM_SHA384", CipherSuite.TLS_AES_256_GCM_SHA384,
            "TLS_CHACHA20_POLY1305_SHA256", CipherSuite.TLS_CHACHA20_POLY1305_SHA256);

    private final BcTlsCrypto crypto = new BcTlsCrypto(new SecureRandom());

    @Override
    public String name() {
        return "bouncycastle";
    }

    @Override
    public String version() {
        return "Bouncy Castle bctls " + TlsProtocol.class.getPackage().getImplementationVersion();
    }

    @Override
    public Map<String, String> capabilities() {
        Map<String, String> all = new TreeMap<>();
        List.of("client", "server", "server.policy.never", "keys.rsa", "keys.ed25519")
                .forEach(it -> all.put(it, "library"));
        VERSIONS.keySet().forEach(it -> all.put("version." + it, "library"));
        GROUPS.keySet().forEach(it -> all.put("group." + it, "library"));
        SUITES.keySet().forEach(it -> all.put("cipher." + it, "library"));
        // The library leaves it to the application what an absent certificate leads to, and which one is accepted.
        List.of("server.policy.request", "server.policy.require").forEach(it -> all.put(it, "glue"));
        for (String side : List.of("client", "server")) {
            List.of(".flag", ".extension", ".revision.editors-copy").forEach(it -> all.put(side + it, "glue"));
        }
        List.of("client.tls-flags", "server.policy.request-on-flag", "server.policy.require-on-flag")
                .forEach(it -> all.put(it, "glue"));
        return all;
    }

    @Override
    public End end(Setup setup) throws Wrong {
        BouncyCastleCertificates certificates = new BouncyCastleCertificates(setup, crypto);
        return (tap, number, report) -> setup.client
                ? new BouncyCastleClient(setup, certificates, tap, report).session()
                : new BouncyCastleServer(setup, certificates, tap, report).session();
    }

    /** The versions of a job, the latest first; those of the library if it names none. */
    static ProtocolVersion[] versions(Setup setup, ProtocolVersion[] byDefault) {
        return setup.versions.isEmpty()
                ? byDefault
                : setup.versions.stream().map(VERSIONS::get)
                        .sorted((one, other) -> one.isLaterVersionOf(other) ? -1 : 1).toArray(ProtocolVersion[]::new);
    }

    /** These suites; of those of TLS 1.3, the job's in place of them if it names some. */
    static int[] suites(Setup setup, int[] byDefault) {
        if (setup.suites.isEmpty()) {
            return byDefault;
        }
        var others = Arrays.stream(byDefault).filter(it -> !SUITES.containsValue(it));
        return IntStream.concat(setup.suites.stream().mapToInt(SUITES::get), others).toArray();
    }

    /** The groups of a job; those of the library if it names none. */
    static int[] groups(Setup setup, int[] byDefault) {
        return setup.groups.isEmpty() ? byDefault : setup.groups.stream().mapToInt(GROUPS::get).toArray();
    }

    /** A connection; what starts its handshake stands beside it. */
    record Connection(TlsProtocol protocol, Start start) implements Session {
        /** Runs the handshake. */
        interface Start {
            void run() throws IOException;
        }

        @Override
        public void handshake() throws IOException {
            start.run();
        }

        @Override
        public InputStream input() {
            return protocol.getInputStream();
        }

        @Override
        public OutputStream output() {
            return protocol.getOutputStream();
        }

        @Override
        public void close() throws IOException {
            protocol.close();
        }

        @Override
        public boolean isTls(Exception exception) {
            return exception instanceof TlsException;
        }
    }
}
