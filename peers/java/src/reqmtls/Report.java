package reqmtls;

import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.Set;

/** What an end reports of one connection. */
final class Report {
    static final HexFormat HEX = HexFormat.of();

    String outcome = "broken";
    String error;
    Integer alertSent;
    Integer alertReceived;
    byte[] sent;
    byte[] received;
    byte[] certificate;
    JsonObject answer;
    private final Set<String> keyLog = new LinkedHashSet<>();
    private final Set<String> clientSecrets = new LinkedHashSet<>();
    private final Set<String> serverSecrets = new LinkedHashSet<>();

    /** Notes a traffic secret of TLS 1.3, as often as it is seen: first those of the handshake, then the others. */
    void trafficSecret(boolean ofClient, byte[] random, byte[] secret) {
        Set<String> seen = ofClient ? clientSecrets : serverSecrets;
        if (seen.size() < 2 && seen.add(HEX.formatHex(secret))) {
            String end = ofClient ? "CLIENT" : "SERVER";
            keyLog(end + (seen.size() == 1 ? "_HANDSHAKE_TRAFFIC_SECRET" : "_TRAFFIC_SECRET_0"), random, secret);
        }
    }

    /** Notes the master secret of TLS 1.2. */
    void masterSecret(byte[] random, byte[] secret) {
        keyLog("CLIENT_RANDOM", random, secret);
    }

    private void keyLog(String label, byte[] random, byte[] secret) {
        keyLog.add(label + " " + HEX.formatHex(random) + " " + HEX.formatHex(secret));
    }

    void fail(Exception exception) {
        error = exception.toString();
    }

    /** SHA-256 of a certificate in DER. */
    static byte[] digest(byte[] certificate) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(certificate);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The answer of a server to who the client is. */
    JsonObject toAnswer() {
        JsonObject line = new JsonObject();
        line.add("client_certificate", JsonNull.INSTANCE);
        line.add("tls_flags", JsonNull.INSTANCE);
        put(line, "client_certificate", certificate);
        put(line, "tls_flags", received);
        return line;
    }

    JsonObject toJson() {
        JsonObject line = new JsonObject();
        line.addProperty("outcome", outcome);
        if (error != null) {
            line.addProperty("error", error);
        }
        if (alertSent != null) {
            line.addProperty("alert_sent", alertSent);
        }
        if (alertReceived != null) {
            line.addProperty("alert_received", alertReceived);
        }
        put(line, "tls_flags_sent", sent);
        put(line, "tls_flags_received", received);
        put(line, "peer_certificate", certificate);
        if (answer != null) {
            line.add("answer", answer);
        }
        JsonArray lines = new JsonArray();
        keyLog.forEach(lines::add);
        line.add("key_log", lines);
        return line;
    }

    private static void put(JsonObject line, String key, byte[] octets) {
        if (octets != null) {
            line.addProperty(key, HEX.formatHex(octets));
        }
    }
}
