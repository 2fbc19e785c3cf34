package reqmtls;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.reflect.Method;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedKeyManager;

/** JSSE, the TLS of the platform that this runs on. */
final class Jsse implements Library {
    private static final Map<String, String> VERSIONS = Map.of("tls1.2", "TLSv1.2", "tls1.3", "TLSv1.3");
    /** Beside one of these, a client sends a second key share for x25519, which the contract does not have. */
    private static final List<String> GROUPS = List.of("secp256r1", "secp384r1");
    /** {@code SSLParameters.setNamedGroups}, which comes with version 20; null before. */
    private static final Method SET_NAMED_GROUPS = Arrays.stream(SSLParameters.class.getMethods())
            .filter(it -> it.getName().equals("setNamedGroups")).findAny().orElse(null);
    private static final List<String> SUITES =
            List.of("TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256");

    @Override
    public String name() {
        return "jsse-" + Runtime.version().feature();
    }

    @Override
    public String version() {
        return "JSSE of OpenJDK " + System.getProperty("java.version");
    }

    @Override
    public Map<String, String> capabilities() {
        Map<String, String> all = new TreeMap<>();
        for (String name : List.of("client", "server", "client.resumption", "server.policy.never",
                "server.policy.request", "server.policy.require", "server.sessions.shared",
                "server.sessions.separate", "keys.rsa", "keys.ed25519")) {
            all.put(name, "library");
        }
        VERSIONS.keySet().forEach(it -> all.put("version." + it, "library"));
        if (SET_NAMED_GROUPS != null) {
            GROUPS.forEach(it -> all.put("group." + it, "library"));
        }
        SUITES.forEach(it -> all.put("cipher." + it, "library"));
        for (String name : List.of("server.flag", "server.extension", "server.policy.request-on-flag",
                "server.policy.require-on-flag")) {
            all.put(name, "glue");
        }
        return all;
    }

    @Override
    public End end(Setup setup) throws Wrong {
        try {
            SSLContext context = context(setup);
            // Sessions belong to a context.
            SSLContext asking = setup.separate ? context(setup) : context;
            return (tap, number, report) -> {
                SSLSocketFactory plain = context.getSocketFactory();
                return setup.client
                        ? client(setup, plain, tap, report)
                        : server(setup, plain, asking.getSocketFactory(), tap, report);
            };
        } catch (GeneralSecurityException e) {
            throw new Wrong("got a setup that the library does not take: " + e.getMessage());
        }
    }

    private static SSLContext context(Setup setup) throws GeneralSecurityException, Wrong {
        SSLContext context = SSLContext.getInstance("TLS");
        KeyManager[] keys = setup.identity == null ? null : new KeyManager[] {new OneIdentity(setup.identity)};
        context.init(keys, new TrustManager[] {setup.trust()}, null);
        return context;
    }

    private static Session client(Setup setup, SSLSocketFactory factory, Tap tap, Report report) throws IOException {
        Socket layer = tap.socket();
        SSLSocket socket = (SSLSocket) factory.createSocket(layer, setup.serverName, layer.getPort(), true);
        SSLParameters parameters = parameters(setup, socket);
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        socket.setSSLParameters(parameters);
        return new Connection(socket, tap, report);
    }

    private static Session server(Setup setup, SSLSocketFactory plain, SSLSocketFactory asking, Tap tap, Report report)
            throws IOException {
        FlagRules rules = new FlagRules(setup, report);
        if (setup.flag != null) {
            tap.follow(rules);
        }
        SSLSocketFactory factory = rules.asks() ? asking : plain;
        SSLSocket socket = (SSLSocket) factory.createSocket(tap.socket(), (InputStream) null, true);
        SSLParameters parameters = parameters(setup, socket);
        if (rules.asks() && setup.requires()) {
            parameters.setNeedClientAuth(true);
        } else {
            parameters.setWantClientAuth(rules.asks());
        }
        socket.setSSLParameters(parameters);
        return new Connection(socket, tap, report);
    }

    private static SSLParameters parameters(Setup setup, SSLSocket socket) {
        SSLParameters parameters = socket.getSSLParameters();
        if (!setup.versions.isEmpty()) {
            parameters.setProtocols(setup.versions.stream().map(VERSIONS::get).toArray(String[]::new));
        }
        if (!setup.suites.isEmpty()) {
            List<String> all = new ArrayList<>(setup.suites);
            Arrays.stream(parameters.getCipherSuites()).filter(it -> !SUITES.contains(it)).forEach(all::add);
            parameters.setCipherSuites(all.toArray(String[]::new));
        }
        if (!setup.groups.isEmpty()) {
            try {
                SET_NAMED_GROUPS.invoke(parameters, (Object) setup.groups.toArray(String[]::new));
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        }
        return parameters;
    }

    /** A connection. */
    private record Connection(SSLSocket socket, Tap tap, Report report) implements Session {
        @Override
        public void handshake() throws IOException {
            tap.look = new JsseSecrets(socket, report)::look;
            socket.startHandshake();
            tap.look.run();
            try {
                report.certificate = Report.digest(socket.getSession().getPeerCertificates()[0].getEncoded());
            } catch (SSLPeerUnverifiedException e) {
                // It has none.
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public InputStream input() throws IOException {
            return socket.getInputStream();
        }

        @Override
        public OutputStream output() throws IOException {
            return socket.getOutputStream();
        }

        @Override
        public void close() throws IOException {
            socket.shutdownOutput();
        }

        @Override
        public boolean isTls(Exception exception) {
            return exception instanceof SSLException;
        }
    }

    /** Presents the job's identity to whoever asks, whatever it says of authorities. */
    private static final class OneIdentity extends X509ExtendedKeyManager {
        private static final String ALIAS = "identity";

        private final Setup.Identity identity;

        OneIdentity(Setup.Identity identity) {
            this.identity = identity;
        }

        private String alias(String... types) {
            return Arrays.asList(types).contains(identity.key().getAlgorithm()) ? ALIAS : null;
        }

        @Override
        public String[] getClientAliases(String type, Principal[] issuers) {
            return new String[] {ALIAS};
        }

        @Override
        public String chooseClientAlias(String[] types, Principal[] issuers, Socket socket) {
            return alias(types);
        }

        @Override
        public String[] getServerAliases(String type, Principal[] issuers) {
            return new String[] {ALIAS};
        }

        @Override
        public String chooseServerAlias(String type, Principal[] issuers, Socket socket) {
            return alias(type);
        }

        @Override
        public X509Certificate[] getCertificateChain(String alias) {
            return identity.certificates().toArray(X509Certificate[]::new);
        }

        @Override
        public PrivateKey getPrivateKey(String alias) {
            return identity.key();
        }
    }
}
