package reqmtls;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** What the ends say to each other in one TLS connection. */
final class Exchange {
    private static final byte[] REQUEST = "who am i?\n".getBytes(StandardCharsets.US_ASCII);
    private static final int LONGEST_ANSWER = 4096;

    private Exchange() {}

    /** Opens a connection. */
    interface Opener {
        Library.Session open(Tap tap) throws IOException;
    }

    /** Runs a connection to its end, and notes its outcome. */
    static void run(boolean client, Tap tap, Opener opener, Report report) {
        Library.Session session = null;
        try {
            session = opener.open(tap);
            session.handshake();
            report.outcome = client ? ask(session, report) : answer(session, report);
        } catch (IOException | Wrong | RuntimeException e) {
            report.fail(e);
            // What the transport ended is no decision of TLS, whatever the library makes of it.
            if (tap.refused || !tap.broken && session != null && session.isTls(e)) {
                report.outcome = "refused";
            }
        }
    }

    private static String ask(Library.Session session, Report report) throws IOException, Wrong {
        session.output().write(REQUEST);
        session.output().flush();
        InputStream in = session.input();
        String line = Lines.read(in, LONGEST_ANSWER);
        session.close();
        if (line == null) {
            report.error = "got close_notify in place of the server's answer";
            return "refused";
        }
        in.transferTo(OutputStream.nullOutputStream());
        report.answer = Fields.read(line).only("client_certificate", "tls_flags").toJson();
        return "completed";
    }

    private static String answer(Library.Session session, Report report) throws IOException, Wrong {
        InputStream in = session.input();
        byte[] request = in.readNBytes(REQUEST.length);
        if (!Arrays.equals(request, REQUEST)) {
            throw new Wrong("got " + Report.HEX.formatHex(request) + ", expected the request");
        }
        JsonObject line = report.toAnswer();
        Lines.write(session.output(), line.toString());
        in.transferTo(OutputStream.nullOutputStream());
        session.close();
        return "completed";
    }
}
