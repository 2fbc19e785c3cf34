package reqmtls;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;

/** The setup of a job. */
final class Setup {
    /** Number of {@code tls_flags} in the registry. */
    static final int TLS_FLAGS = 62;

    private static final int MOST_FLAG = 2039;
    private static final long DEADLINE = 10_000;
    private static final Set<String> KEYS = Set.of(
            "versions", "groups", "cipher_suites", "keys", "identity", "trust_anchors", "server_name", "policy",
            "tls_flags", "flag", "extension", "revision", "resumption", "sessions", "early_data", "post_handshake_auth",
            "edits", "bad_certificate_verify", "deadline_ms");
    private static final Pattern PRIVATE_KEY =
            Pattern.compile("-----BEGIN PRIVATE KEY-----(.*?)-----END PRIVATE KEY-----", Pattern.DOTALL);

    final boolean client;
    final List<String> versions;
    final List<String> groups;
    final List<String> suites;
    final String keys;
    final Identity identity;
    final List<X509Certificate> anchors;
    final String serverName;
    final String policy;
    final byte[] flags;
    final Integer flag;
    final int extension;
    final boolean editorsCopy;
    final boolean resumes;
    final byte[] laterFlags;
    final boolean separate;
    final long deadline;

    /** Certificates, end entity first, and the key of the first. */
    record Identity(List<X509Certificate> certificates, PrivateKey key) {}

    /** Reads a setup, and looks whether a peer of these capabilities can do it. */
    Setup(String side, Fields setup, Map<String, String> capabilities) throws Wrong, Unsupported {
        client = side.equals("client");
        for (String key : setup.keys()) {
            if (!KEYS.contains(key)) {
                throw new Unsupported("setup." + key);
            }
        }
        versions = setup.texts("versions");
        groups = setup.texts("groups");
        suites = setup.texts("cipher_suites");
        serverName = setup.text("server_name");
        keys = setup.text("keys");
        String asked = setup.text("policy");
        policy = asked == null ? "never" : asked;
        flags = setup.octets("tls_flags");
        Long number = setup.number("flag", MOST_FLAG);
        flag = number == null ? null : number.intValue();
        number = setup.number("extension", 0xffff);
        extension = number == null ? TLS_FLAGS : number.intValue();
        String revision = setup.text("revision");
        editorsCopy = "editors-copy".equals(revision);
        Fields resumption = setup.object("resumption");
        resumes = resumption != null;
        laterFlags = resumes ? resumption.only("tls_flags", "early_data").octets("tls_flags") : null;
        String sessions = setup.text("sessions");
        separate = "separate".equals(sessions);
        number = setup.number("deadline_ms", Integer.MAX_VALUE);
        deadline = number == null ? DEADLINE : number;

        List<String> needs = new ArrayList<>(List.of(side));
        versions.forEach(it -> needs.add("version." + it));
        groups.forEach(it -> needs.add("group." + it));
        suites.forEach(it -> needs.add("cipher." + it));
        need(needs, keys != null, "keys." + keys);
        need(needs, asked != null, "server.policy." + asked);
        need(needs, flags != null || laterFlags != null, "client.tls-flags");
        need(needs, flag != null, side + ".flag");
        need(needs, extension != TLS_FLAGS, side + ".extension");
        need(needs, revision != null && !revision.equals("draft-02"), side + ".revision." + revision);
        need(needs, resumes, "client.resumption");
        need(needs, resumes && resumption.flag("early_data"), "client.early-data");
        need(needs, sessions != null, "server.sessions." + sessions);
        need(needs, setup.flag("early_data"), "server.early-data");
        need(needs, setup.flag("post_handshake_auth"), "client.post-handshake-auth");
        need(needs, !setup.list("edits").isEmpty(), side + ".edits");
        need(needs, setup.flag("bad_certificate_verify"), side + ".bad-certificate-verify");
        for (String name : needs) {
            if (!capabilities.containsKey(name)) {
                throw new Unsupported(name);
            }
        }

        Fields own = setup.object("identity");
        identity = own == null ? null : identity(own.only("certificates", "private_key"));
        String anchorText = setup.text("trust_anchors");
        anchors = anchorText == null ? List.of() : certificates(anchorText);
        expect(!client || serverName != null, "a server_name for a client");
        expect(client || identity != null, "an identity for a server");
        expect(client || policy.equals("never") || !anchors.isEmpty(), "trust_anchors for policy " + policy);
        expect(flag != null || !onFlag(), "a flag for policy " + policy);
        expect(flag != null || !editorsCopy, "a flag for revision editors-copy");
    }

    private static void need(List<String> needs, boolean condition, String name) {
        if (condition) {
            needs.add(name);
        }
    }

    private static void expect(boolean condition, String what) throws Wrong {
        if (!condition) {
            throw new Wrong("expected " + what);
        }
    }

    boolean onFlag() {
        return policy.endsWith("-on-flag");
    }

    boolean requires() {
        return policy.startsWith("require");
    }

    /** Whether an end may negotiate TLS 1.3. */
    boolean hasTls13() {
        return versions.isEmpty() || versions.contains("tls1.3");
    }

    /** What the platform verifies certificates by, with the anchors of the job. */
    X509ExtendedTrustManager trust() throws Wrong {
        try {
            KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
            store.load(null, null);
            for (X509Certificate anchor : anchors) {
                store.setCertificateEntry("anchor " + store.size(), anchor);
            }
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(store);
            return (X509ExtendedTrustManager) factory.getTrustManagers()[0];
        } catch (GeneralSecurityException | IOException e) {
            throw new Wrong("got trust_anchors that do not load: " + e.getMessage());
        }
    }

    private static Identity identity(Fields fields) throws Wrong {
        String certificates = fields.text("certificates");
        String key = fields.text("private_key");
        expect(certificates != null && key != null, "certificates and private_key in an identity");
        List<X509Certificate> chain = certificates(certificates);
        Matcher found = PRIVATE_KEY.matcher(key);
        expect(found.find(), "a private_key in PEM");
        try {
            byte[] octets = Base64.getMimeDecoder().decode(found.group(1));
            KeyFactory factory = KeyFactory.getInstance(chain.get(0).getPublicKey().getAlgorithm());
            return new Identity(chain, factory.generatePrivate(new PKCS8EncodedKeySpec(octets)));
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new Wrong("got an identity that does not load: " + e.getMessage());
        }
    }

    private static List<X509Certificate> certificates(String pem) throws Wrong {
        List<X509Certificate> all = new ArrayList<>();
        try {
            ByteArrayInputStream octets = new ByteArrayInputStream(pem.getBytes(StandardCharsets.US_ASCII));
            for (var one : CertificateFactory.getInstance("X.509").generateCertificates(octets)) {
                all.add((X509Certificate) one);
            }
        } catch (CertificateException e) {
            throw new Wrong("got certificates that do not load: " + e.getMessage());
        }
        expect(!all.isEmpty(), "a certificate in PEM");
        return all;
    }
}
