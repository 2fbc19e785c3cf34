package reqmtls;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Hashtable;
import java.util.List;
import java.util.Vector;
import org.bouncycastle.tls.AlertDescription;
import org.bouncycastle.tls.AlertLevel;
import org.bouncycastle.tls.CertificateRequest;
import org.bouncycastle.tls.DefaultTlsClient;
import org.bouncycastle.tls.HandshakeMessageInput;
import org.bouncycastle.tls.NameType;
import org.bouncycastle.tls.ProtocolVersion;
import org.bouncycastle.tls.ServerName;
import org.bouncycastle.tls.TlsAuthentication;
import org.bouncycastle.tls.TlsClientProtocol;
import org.bouncycastle.tls.TlsCredentials;
import org.bouncycastle.tls.TlsFatalAlert;
import org.bouncycastle.tls.TlsServerCertificate;

/** A client of Bouncy Castle's TLS. */
@SuppressWarnings({"rawtypes", "unchecked"}) // The library is older than generic types.
final class BouncyCastleClient extends DefaultTlsClient {
    private final Setup setup;
    private final BouncyCastleCertificates certificates;
    private final Tap tap;
    private final Report report;
    private final FlagRules rules;

    BouncyCastleClient(Setup setup, BouncyCastleCertificates certificates, Tap tap, Report report) {
        super(certificates.crypto);
        this.setup = setup;
        this.certificates = certificates;
        this.tap = tap;
        this.report = report;
        rules = setup.flag == null ? null : new FlagRules(setup, report);
    }

    Library.Session session() {
        Protocol protocol = new Protocol();
        return new BouncyCastle.Connection(protocol, () -> protocol.connect(this));
    }

    /** Looks at each message before the library does. */
    private final class Protocol extends TlsClientProtocol {
        Protocol() {
            super(tap.input, tap.output);
        }

        @Override
        protected void handleHandshakeMessage(short type, HandshakeMessageInput message) throws IOException {
            if (rules != null) {
                BouncyCastleServer.look(rules, type, message, context);
            }
            super.handleHandshakeMessage(type, message);
        }
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
        return BouncyCastle.suites(setup, super.getSupportedCipherSuites());
    }

    @Override
    protected Vector getSupportedGroups(Vector roles) {
        return setup.groups.isEmpty()
                ? super.getSupportedGroups(roles)
                : new Vector(Arrays.stream(BouncyCastle.groups(setup, new int[0])).boxed().toList());
    }

    @Override
    public Vector getEarlyKeyShareGroups() {
        return setup.groups.isEmpty() ? super.getEarlyKeyShareGroups() : new Vector(supportedGroups.subList(0, 1));
    }

    @Override
    protected Vector getSNIServerNames() {
        byte[] name = setup.serverName.getBytes(StandardCharsets.US_ASCII);
        return new Vector(List.of(new ServerName(NameType.host_name, name)));
    }

    @Override
    public Hashtable getClientExtensions() throws IOException {
        Hashtable extensions = super.getClientExtensions();
        if (setup.flags != null) {
            extensions.put(setup.extension, setup.flags);
            report.sent = setup.flags;
        }
        if (rules != null) {
            rules.sends(setup.flags);
        }
        return extensions;
    }

    @Override
    public TlsAuthentication getAuthentication() {
        return new TlsAuthentication() {
            @Override
            public void notifyServerCertificate(TlsServerCertificate certificate) throws IOException {
                if (certificate == null || certificate.getCertificate().isEmpty()) {
                    throw new TlsFatalAlert(AlertDescription.handshake_failure);
                }
                certificates.verify(certificate.getCertificate(), report);
            }

            @Override
            public TlsCredentials getClientCredentials(CertificateRequest request) {
                return certificates.signer(context);
            }
        };
    }

    @Override
    public void notifyHandshakeComplete() throws IOException {
        super.notifyHandshakeComplete();
        certificates.look(context, report);
    }

    @Override
    public void notifyAlertRaised(short level, short description, String message, Throwable cause) {
        if (level == AlertLevel.fatal) {
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
