package reqmtls;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import javax.net.ssl.X509TrustManager;
import org.bouncycastle.crypto.params.AsymmetricKeyParameter;
import org.bouncycastle.crypto.util.PrivateKeyFactory;
import org.bouncycastle.tls.AlertDescription;
import org.bouncycastle.tls.Certificate;
import org.bouncycastle.tls.CertificateEntry;
import org.bouncycastle.tls.SignatureScheme;
import org.bouncycastle.tls.TlsContext;
import org.bouncycastle.tls.TlsCredentialedSigner;
import org.bouncycastle.tls.TlsFatalAlert;
import org.bouncycastle.tls.TlsUtils;
import org.bouncycastle.tls.crypto.TlsCertificate;
import org.bouncycastle.tls.crypto.TlsCryptoParameters;
import org.bouncycastle.tls.crypto.TlsSecret;
import org.bouncycastle.tls.crypto.impl.bc.BcDefaultTlsCredentialedSigner;
import org.bouncycastle.tls.crypto.impl.bc.BcTlsCrypto;

/** What an application of Bouncy Castle's TLS does by itself: to sign, and to verify certificates. */
final class BouncyCastleCertificates {
    /** Of the subjectAltName kinds, dNSName. */
    private static final int DNS_NAME = 2;

    /** By the platform's name of a key's algorithm. */
    private static final Map<String, Integer> SCHEMES = Map.of(
            "EC", SignatureScheme.ecdsa_secp256r1_sha256, "RSA", SignatureScheme.rsa_pss_rsae_sha256,
            "EdDSA", SignatureScheme.ed25519);

    final BcTlsCrypto crypto;
    private final Setup setup;
    private final X509TrustManager trust;
    private final AsymmetricKeyParameter key;
    private final TlsCertificate[] chain;

    BouncyCastleCertificates(Setup setup, BcTlsCrypto crypto) throws Wrong {
        this.setup = setup;
        this.crypto = crypto;
        trust = setup.trust();
        try {
            key = setup.identity == null ? null : PrivateKeyFactory.createKey(setup.identity.key().getEncoded());
            chain = new TlsCertificate[setup.identity == null ? 0 : setup.identity.certificates().size()];
            for (int i = 0; i < chain.length; i++) {
                chain[i] = crypto.createCertificate(setup.identity.certificates().get(i).getEncoded());
            }
        } catch (IOException | CertificateException e) {
            throw new Wrong("got an identity that the library does not take: " + e.getMessage());
        }
        if (key != null && !SCHEMES.containsKey(setup.identity.key().getAlgorithm())) {
            String got = setup.identity.key().getAlgorithm();
            throw new Wrong("got a key for " + got + ", expected one for ECDSA, RSA or Ed25519");
        }
    }

    /** Proves the job's identity; null without one. */
    TlsCredentialedSigner signer(TlsContext context) {
        if (key == null) {
            return null;
        }
        Certificate certificate;
        if (TlsUtils.isTLSv13(context)) {
            CertificateEntry[] entries = new CertificateEntry[chain.length];
            for (int i = 0; i < chain.length; i++) {
                entries[i] = new CertificateEntry(chain[i], null);
            }
            certificate = new Certificate(TlsUtils.EMPTY_BYTES, entries);
        } else {
            certificate = new Certificate(chain);
        }
        return new BcDefaultTlsCredentialedSigner(new TlsCryptoParameters(context), crypto, key, certificate,
                SignatureScheme.getSignatureAndHashAlgorithm(SCHEMES.get(setup.identity.key().getAlgorithm())));
    }

    /** Verifies the other end's certificates, by the alert of the library's own JSSE provider, and notes the first. */
    void verify(Certificate certificates, Report report) throws IOException {
        try {
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            X509Certificate[] path = new X509Certificate[certificates.getLength()];
            for (int i = 0; i < path.length; i++) {
                byte[] octets = certificates.getCertificateAt(i).getEncoded();
                path[i] = (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(octets));
            }
            if (setup.client) {
                trust.checkServerTrusted(path, "UNKNOWN");
                verifyName(path[0].getSubjectAlternativeNames());
            } else {
                trust.checkClientTrusted(path, "UNKNOWN");
            }
            report.certificate = Report.digest(path[0].getEncoded());
        } catch (CertificateException e) {
            throw new TlsFatalAlert(AlertDescription.certificate_unknown, e);
        }
    }

    private void verifyName(Collection<List<?>> names) throws CertificateException {
        if (names == null || names.stream().noneMatch(
                it -> it.get(0).equals(DNS_NAME) && setup.serverName.equalsIgnoreCase((String) it.get(1)))) {
            throw new CertificateException("the certificate is of another name than " + setup.serverName);
        }
    }

    /** Notes the secrets that stand now. */
    void look(TlsContext context, Report report) {
        var parameters = context.getSecurityParameters();
        if (parameters == null || parameters.getNegotiatedVersion() == null) {
            return;
        }
        byte[] random = parameters.getClientRandom();
        if (TlsUtils.isTLSv13(parameters.getNegotiatedVersion())) {
            for (boolean ofClient : new boolean[] {true, false}) {
                TlsSecret secret = ofClient ? parameters.getTrafficSecretClient() : parameters.getTrafficSecretServer();
                if (secret != null && secret.isAlive()) {
                    report.trafficSecret(ofClient, random, crypto.adoptSecret(secret).extract());
                }
            }
        } else if (parameters.getMasterSecret() != null && parameters.getMasterSecret().isAlive()) {
            report.masterSecret(random, crypto.adoptSecret(parameters.getMasterSecret()).extract());
        }
    }
}
