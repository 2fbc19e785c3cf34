package reqmtls;

import java.util.Arrays;
import java.util.List;

/** What an end that implements {@code tls_flags} decides by the messages of one connection. */
final class FlagRules {
    private static final int SUPPORTED_VERSIONS = 43;

    private final Setup setup;
    private final Report report;
    private byte[] data;
    private boolean seen;
    private boolean set;

    FlagRules(Setup setup, Report report) {
        this.setup = setup;
        this.report = report;
    }

    /** Server: whether a ClientHello has come. */
    boolean hasSeen() {
        return seen;
    }

    /** Server: whether it asks for a certificate; without a policy on the flag, whatever came. */
    boolean asks() {
        return setup.onFlag() ? set : !setup.policy.equals("never");
    }

    /** Whether the flag is set in ClientHello. */
    boolean isSet() {
        return set;
    }

    /** Server: notes a ClientHello, or says what is wrong with its flags. */
    void clientHello(byte[] body) throws Wrong {
        List<byte[]> all = Messages.find(Messages.CLIENT_HELLO, body, setup.extension);
        byte[] now = all.isEmpty() ? null : all.get(0);
        report.received = now;
        boolean again = seen;
        seen = true;
        if (!setup.hasTls13() || !offersTls13(body)) {
            return;
        }
        if (all.size() > 1) {
            throw new Wrong("tls_flags stands twice in ClientHello");
        }
        // RFC 9846 section 4.2.2: HelloRetryRequest is no occasion for other flags.
        if (again && !Arrays.equals(data, now)) {
            throw new Wrong("tls_flags differs in the second ClientHello");
        }
        data = now;
        set = now != null && isSet(now, setup.flag);
    }

    /** Client: notes the value that it sends. */
    void sends(byte[] value) {
        try {
            set = value != null && isSet(value, setup.flag);
        } catch (Wrong e) {
            set = false;
        }
    }

    /**
     * Looks at a message other than ClientHello. Nothing answers a flag but, in the editor's copy, CertificateRequest;
     * there and in NewSessionTicket a server may have flags of its own.
     */
    void answer(int type, byte[] body) throws Wrong {
        boolean proposes = type == Messages.CERTIFICATE_REQUEST || type == Messages.NEW_SESSION_TICKET;
        for (byte[] value : Messages.find(type, body, setup.extension)) {
            boolean carried = isSet(value, setup.flag);
            boolean acknowledged = type == Messages.CERTIFICATE_REQUEST && set;
            if (!proposes || setup.editorsCopy && carried && !acknowledged) {
                throw new Wrong("tls_flags stands in a message of type " + type);
            }
        }
    }

    private static boolean offersTls13(byte[] body) {
        for (byte[] versions : Messages.find(Messages.CLIENT_HELLO, body, SUPPORTED_VERSIONS)) {
            for (int at = 1; at + 1 < versions.length; at += 2) {
                if (versions[at] == 3 && versions[at + 1] == 4) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Reads {@code extension_data} by draft-ietf-tls-tlsflags section 2. */
    static boolean isSet(byte[] value, int flag) throws Wrong {
        if (value.length < 2 || (value[0] & 0xff) != value.length - 1 || value[value.length - 1] == 0) {
            throw new Wrong("malformed tls_flags: " + Report.HEX.formatHex(value));
        }
        int at = 1 + flag / 8;
        return at < value.length && (value[at] >> flag % 8 & 1) == 1;
    }

    /** The {@code extension_data} that sets this flag alone. */
    static byte[] alone(int flag) {
        byte[] value = new byte[flag / 8 + 2];
        value[0] = (byte) (value.length - 1);
        value[value.length - 1] = (byte) (1 << flag % 8);
        return value;
    }
}
