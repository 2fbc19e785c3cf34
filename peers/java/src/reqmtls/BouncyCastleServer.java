package reqmtls;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.Hashtable;
import java.util.Vector;
import org.bouncycastle.tls.AlertDescription;
import org.bouncycastle.tls.AlertLevel;
import org.bouncycastle.tls.Certificate;
import org.bouncycastle.tls.CertificateRequest;
import org.bouncycastle.tls.CipherSuite;
import org.bouncycastle.tls.ClientCertificateType;
import org.bouncycastle.tls.DefaultTlsServer;
import org.bouncycastle.tls.HandshakeMessageInput;
import org.bouncycastle.tls.HandshakeType;
import org.bouncycastle.tls.ProtocolVersion;
import org.bouncycastle.tls.TlsContext;
import org.bouncycastle.tls.TlsCredentials;
import org.bouncycastle.tls.TlsFatalAlert;
import org.bouncycastle.tls.TlsServerProtocol;
import org.bouncycastle.tls.TlsUtils;

/** A server of Bouncy Castle's TLS. */
@SuppressWarnings("rawtypes") // The library is older than generic types.
final class BouncyCastleServer extends DefaultTlsServer {
    /** Those of the library that a key for ECDSA or Ed25519 can be used with; by itself it offers all that it has. */
    private static final int[] SUITES = {
        CipherSuite.TLS_CHACHA20_POLY1305_SHA256, CipherSuite.TLS_AES_256_GCM_SHA384,
        CipherSuite.TLS_AES_128_GCM_SHA256, CipherSuite.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    };

    private static final int[] RSA_SUITES = {
        CipherSuite.TLS_CHACHA20_POLY1305_SHA256, CipherSuite.TLS_AES_256_GCM_SHA384,
        CipherSuite.TLS_AES_128_GCM_SHA256, CipherSuite.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        CipherSuite.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, CipherSuite.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    };

    private final Setup setup;
    private final BouncyCastleCertificates certificates;
    private final Tap tap;
    private final Report report;
    private final FlagRules rules;
    private byte[] firstHello;

    BouncyCastleServer(Setup setup, BouncyCastleCertificates certificates, Tap tap, Report report) {
        super(certificates.crypto);
        this.setup = setup;
        this.certificates = certificates;
        this.tap = tap;
        this.report = report;
        rules = new FlagRules(setup, report);
    }

    Library.Session session() {
        Protocol protocol = new Protocol();
        return new BouncyCastle.Connection(protocol, () -> protocol.accept(this));
    }

    /** Looks at each message before the library does. */
    private final class Protocol extends TlsServerProtocol {
        Protocol() {
            super(tap.input, tap.output);
        }

        @Override
        protected void handleHandshakeMessage(short type, HandshakeMessageInput message) throws IOException {
            if (setup.flag != null && type == Messages.CLIENT_HELLO && !rules.hasSeen()) {
                // As long as the library sends no alerts, this waits.
                firstHello = body(message);
            } else if (setup.flag != null) {
                look(rules, type, message, context);
            }
            super.handleHandshakeMessage(type, message);
        }
    }

    /** Has the rules look at a message, which the library has still to read. */
    static void look(FlagRules rules, short type, HandshakeMessageInput message, TlsContext context)
            throws IOException {
        ProtocolVersion version = context.getSecurityParameters().getNegotiatedVersion();
        if (version == null || TlsUtils.isTLSv13(version)) {
            look(rules, type, body(message));
        }
    }

    private static void look(FlagRules rules, short type, byte[] body) throws IOException {
        try {
            if (type == Messages.CLIENT_HELLO) {
                rules.clientHello(body);
            } else {
                rules.answer(type, body);
            }
        } catch (Wrong e) {
            throw new TlsFatalAlert(AlertDescription.illegal_parameter, e.getMessage());
        }
    }

    /** The octets of a message behind its header, which the library has still to read. */
    private static byte[] body(HandshakeMessageInput message) {
        byte[] body = message.readAllBytes();
        message.reset();
        message.skip(4);
        return body;
    }

    @Override
    public void processClientExtensions(Hashtable extensions) throws IOException {
        if (firstHello != null) {
            look(rules, HandshakeType.client_hello, firstHello);
        }
        super.processClientExtensions(extensions);
    }

    @Override
    public void notifyHandshakeBeginning() throws IOException {
        super.notifyHandshakeBeginning();
        tap.look = () -> certificates.look(context, report);
    }

    @Override
    protected ProtocolVersion[] getSupportedVersions() {
        return BouncyCastle.versions(setup, super.getSupportedVersions());
    }

    @Override
    protected int[] getSupportedCipherSuites() {
        return BouncyCastle.suites(setup, "rsa".equals(setup.keys) ? RSA_SUITES : SUITES);
    }

    @Override
    public int[] getSupportedGroups() throws IOException {
        return BouncyCastle.groups(setup, super.getSupportedGroups());
    }

    @Override
    public TlsCredentials getCredentials() {
        return certificates.signer(context);
    }

    @Override
    public CertificateRequest getCertificateRequest() throws IOException {
        if (!rules.asks()) {
            return null;
        }
        Vector algorithms = TlsUtils.getDefaultSupportedSignatureAlgorithms(context);
        if (TlsUtils.isTLSv13(context)) {
            return new Request(algorithms);
        }
        short type = "rsa".equals(setup.keys) ? ClientCertificateType.rsa_sign : ClientCertificateType.ecdsa_sign;
        return new CertificateRequest(new short[] {type}, algorithms, null);
    }

    /** CertificateRequest of TLS 1.3, which in the editor's copy acknowledges the flag. */
    private final class Request extends CertificateRequest {
        Request(Vector algorithms) throws IOException {
            super(TlsUtils.EMPTY_BYTES, algorithms, null, null);
        }

        @Override
        public void encode(TlsContext context, OutputStream output) throws IOException {
            if (!setup.editorsCopy || !rules.isSet()) {
                super.encode(context, output);
                return;
            }
            ByteArrayOutputStream own = new ByteArrayOutputStream();
            super.encode(context, own);
            // An empty certificate_request_context, then the length of the extensions.
            byte[] extensions = Arrays.copyOfRange(own.toByteArray(), 3, own.size());
            byte[] flags = FlagRules.alone(setup.flag);
            TlsUtils.writeOpaque8(TlsUtils.EMPTY_BYTES, output);
            TlsUtils.writeUint16(extensions.length + 4 + flags.length, output);
            output.write(extensions);
            TlsUtils.writeUint16(setup.extension, output);
            TlsUtils.writeOpaque16(flags, output);
        }
    }

    /** What the library leaves to the application; the alerts are those of its own JSSE provider. */
    @Override
    public void notifyClientCertificate(Certificate certificate) throws IOException {
        if (certificate != null && !certificate.isEmpty()) {
            certificates.verify(certificate, report);
        } else if (setup.requires()) {
            throw new TlsFatalAlert(TlsUtils.isTLSv13(context)
                    ? AlertDescription.certificate_required
                    : AlertDescription.handshake_failure);
        }
    }

    @Override
    public void notifyHandshakeComplete() throws IOException {
        super.notifyHandshakeComplete();
        certificates.look(context, report);
    }

    @Override
    public void notifyAlertRaised(short level, short description, String message, Throwable cause) {
        // The library sends none before it has read the versions of ClientHello.
        if (level == AlertLevel.fatal && context.getClientVersion() != null) {
            report.alertSent = (int) description;
        }
    }

    @Override
    public void notifyAlertReceived(short level, short description) {
        if (level == AlertLevel.fatal && description != AlertDescription.close_notify) {
            report.alertReceived = (int) description;
        }
    }
}
