package reqmtls;

import java.lang.reflect.Field;
import java.security.Key;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSocket;

/**
 * The secrets of a JSSE connection, for its key log: the library shows them to nobody, so its fields are read (and
 * nothing else is done to them), which the program's start allows by {@code --add-opens}.
 */
final class JsseSecrets {
    private final SSLSocket socket;
    private final Report report;
    private byte[] random;

    JsseSecrets(SSLSocket socket, Report report) {
        this.socket = socket;
        this.report = report;
    }

    /** Notes the secrets that stand now. */
    void look() {
        Object connection = get(socket, "conContext");
        Object handshake = get(connection, "handshakeContext");
        if (handshake != null) {
            Object hello = get(handshake, "clientHelloRandom");
            if (hello != null) {
                random = (byte[]) get(hello, "randomBytes");
            }
            traffic(false, get(handshake, "baseReadSecret"));
            traffic(true, get(handshake, "baseWriteSecret"));
            master((SSLSession) get(handshake, "handshakeSession"));
        } else {
            traffic(false, get(get(get(connection, "inputRecord"), "readCipher"), "baseSecret"));
            traffic(true, get(get(get(connection, "outputRecord"), "writeCipher"), "baseSecret"));
            master((SSLSession) get(connection, "conSession"));
        }
    }

    private void traffic(boolean written, Object secret) {
        if (secret != null && random != null) {
            report.trafficSecret(written == socket.getUseClientMode(), random, ((Key) secret).getEncoded());
        }
    }

    private void master(SSLSession session) {
        if (session != null && random != null && session.getProtocol().equals("TLSv1.2")) {
            Object secret = get(session, "masterSecret");
            if (secret != null) {
                report.masterSecret(random, ((Key) secret).getEncoded());
            }
        }
    }

    private static Object get(Object object, String name) {
        for (Class<?> type = object.getClass(); type != null; type = type.getSuperclass()) {
            try {
                Field field = type.getDeclaredField(name);
                field.setAccessible(true);
                return field.get(object);
            } catch (NoSuchFieldException e) {
                // In a class above.
            } catch (IllegalAccessException e) {
                throw new IllegalStateException(e);
            }
        }
        throw new IllegalStateException("got no field " + name + " in " + object.getClass());
    }
}
