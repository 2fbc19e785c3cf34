package reqmtls;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Map;

/** A TLS library. */
interface Library {
    /** Short name of the peer. */
    String name();

    /** Version string, as the library gives it. */
    String version();

    /** Each capability with its provenance. */
    Map<String, String> capabilities();

    /** Makes one end of a job, or says what of its setup makes no sense. */
    End end(Setup setup) throws Wrong;

    /** One end of a job. */
    interface End {
        /** A connection that reads and writes through the tap, and notes in the report what it shows. */
        Session open(Tap tap, long connection, Report report) throws IOException;
    }

    /** One TLS connection. */
    interface Session {
        void handshake() throws IOException;

        InputStream input() throws IOException;

        OutputStream output() throws IOException;

        /** Sends {@code close_notify}. */
        void close() throws IOException;

        /** Whether an exception is TLS's own way to end a connection. */
        boolean isTls(Exception exception);
    }
}
