package reqmtls;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Where extensions stand in the handshake messages of TLS 1.3 (RFC 9846 section 4). */
final class Messages {
    static final int CLIENT_HELLO = 1;
    static final int SERVER_HELLO = 2;
    static final int NEW_SESSION_TICKET = 4;
    static final int ENCRYPTED_EXTENSIONS = 8;
    static final int CERTIFICATE = 11;
    static final int CERTIFICATE_REQUEST = 13;

    private Messages() {}

    /** The data of each extension of that number, in the body of a message. What ends early has no more. */
    static List<byte[]> find(int type, byte[] body, int number) {
        List<byte[]> found = new ArrayList<>();
        Reader reader = new Reader(body, 0);
        switch (type) {
            case CLIENT_HELLO -> {
                reader.skip(34);
                reader.vector(1);
                reader.vector(2);
                reader.vector(1);
            }
            case SERVER_HELLO -> {
                reader.skip(34);
                reader.vector(1);
                reader.skip(3);
            }
            case NEW_SESSION_TICKET -> {
                reader.skip(8);
                reader.vector(1);
                reader.vector(2);
            }
            case CERTIFICATE_REQUEST -> reader.vector(1);
            case CERTIFICATE -> {
                reader.vector(1);
                Reader list = reader.vector(3);
                while (list.has(1)) {
                    list.vector(3);
                    collect(list.vector(2), number, found);
                }
                return found;
            }
            case ENCRYPTED_EXTENSIONS -> {}
            default -> {
                return found;
            }
        }
        collect(reader.vector(2), number, found);
        return found;
    }

    private static void collect(Reader extensions, int number, List<byte[]> found) {
        while (extensions.has(4)) {
            boolean wanted = extensions.number(2) == number;
            Reader data = extensions.vector(2);
            if (wanted && !data.early) {
                found.add(data.rest());
            }
        }
    }

    /** Reads octets in turn. At what ends early it gives nothing more. */
    static final class Reader {
        private final byte[] octets;
        private int at;
        private int end;
        private boolean early;

        Reader(byte[] octets, int at) {
            this.octets = octets;
            this.at = at;
            end = octets.length;
        }

        boolean has(int length) {
            return end - at >= length;
        }

        void skip(int length) {
            early |= !has(length);
            at = early ? end : at + length;
        }

        int number(int width) {
            int number = 0;
            int start = at;
            skip(width);
            for (int i = start; i < start + width && !early; i++) {
                number = number << 8 | octets[i] & 0xff;
            }
            return number;
        }

        /** What follows a length of that many octets. */
        Reader vector(int width) {
            int length = number(width);
            Reader inner = new Reader(octets, at);
            skip(length);
            inner.end = at;
            inner.early = early;
            return inner;
        }

        byte[] rest() {
            return Arrays.copyOfRange(octets, at, end);
        }
    }
}
