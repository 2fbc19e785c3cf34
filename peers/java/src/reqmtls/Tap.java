package reqmtls;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.util.Arrays;

/** The octets of one connection, as the library reads and writes them. */
final class Tap {
    /** What a library may call its connection by; the harness's ports say nothing. */
    private static final int PORT = 443;
    /** The most octets of a ClientHello that is looked at. */
    private static final int MOST_HELLO = 65536;
    private static final byte[] ILLEGAL_PARAMETER = {21, 3, 3, 0, 2, 2, 47};

    final InputStream input = new Input();
    final OutputStream output = new Output();
    /** The transport has ended, or failed. */
    boolean broken;
    /** The connection was ended here, by an alert. */
    boolean refused;
    /** Called before each read and write. */
    Runnable look = () -> {};

    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;
    /** What was read and waits for the library. */
    private byte[] waiting = {};
    private FlagRules rules;
    private byte[] records = {};
    private byte[] handshake = {};

    Tap(Socket socket, InputStream in) throws IOException {
        this.socket = socket;
        this.in = in;
        out = socket.getOutputStream();
    }

    /** Has the rules look at each ClientHello before the library does. Returns when they have seen one. */
    void follow(FlagRules rules) throws IOException {
        this.rules = rules;
        while (this.rules != null && !rules.hasSeen()) {
            byte[] buffer = new byte[4096];
            int length = receive(buffer, 0, buffer.length);
            if (length < 0) {
                return;
            }
            waiting = join(waiting, buffer, 0, length);
        }
    }

    /** Closes the sending half, and reads to the end of the other before the socket is closed. */
    void finish() {
        try {
            socket.shutdownOutput();
            in.transferTo(OutputStream.nullOutputStream());
        } catch (IOException e) {
            // Then it has ended, too.
        }
    }

    /** The connection as a socket, for a library that takes nothing else. */
    Socket socket() {
        return new Layer();
    }

    private int receive(byte[] buffer, int offset, int length) throws IOException {
        if (refused) {
            throw new IOException("the connection was refused");
        }
        int count;
        try {
            count = in.read(buffer, offset, length);
        } catch (IOException e) {
            broken = true;
            throw e;
        }
        if (count < 0) {
            broken = true;
        } else if (rules != null) {
            records = join(records, buffer, offset, count);
            inspect();
        }
        return count;
    }

    /** Hands ClientHello messages to the rules, as long as nothing else has come. */
    private void inspect() throws IOException {
        while (rules != null && records.length >= 5) {
            int end = 5 + number(records, 3, 2);
            if (records.length < end) {
                return;
            }
            int kind = records[0];
            byte[] body = slice(records, 5, end);
            records = slice(records, end, records.length);
            if (kind == 22) {
                handshake = join(handshake, body, 0, body.length);
            } else if (kind != 20) {
                rules = null;
            }
            while (rules != null && handshake.length >= 4) {
                end = 4 + number(handshake, 1, 3);
                if (handshake[0] != Messages.CLIENT_HELLO) {
                    rules = null;
                } else if (handshake.length < end && end <= MOST_HELLO) {
                    break;
                } else if (handshake.length < end) {
                    rules = null;
                } else {
                    byte[] hello = slice(handshake, 4, end);
                    handshake = slice(handshake, end, handshake.length);
                    try {
                        rules.clientHello(hello);
                    } catch (Wrong e) {
                        out.write(ILLEGAL_PARAMETER);
                        refused = true;
                        throw new IOException("refused by illegal_parameter: " + e.getMessage(), e);
                    }
                }
            }
        }
    }

    private static int number(byte[] octets, int at, int width) {
        return new Messages.Reader(octets, at).number(width);
    }

    private static byte[] slice(byte[] octets, int from, int to) {
        return Arrays.copyOfRange(octets, from, to);
    }

    private static byte[] join(byte[] first, byte[] second, int offset, int length) {
        ByteArrayOutputStream both = new ByteArrayOutputStream();
        both.writeBytes(first);
        both.write(second, offset, length);
        return both.toByteArray();
    }

    private final class Input extends InputStream {
        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            look.run();
            if (waiting.length == 0) {
                return receive(buffer, offset, length);
            }
            int count = Math.min(length, waiting.length);
            System.arraycopy(waiting, 0, buffer, offset, count);
            waiting = slice(waiting, count, waiting.length);
            return count;
        }

        @Override
        public int available() throws IOException {
            return waiting.length > 0 ? waiting.length : in.available();
        }
    }

    private final class Output extends OutputStream {
        @Override
        public void write(int octet) throws IOException {
            write(new byte[] {(byte) octet}, 0, 1);
        }

        @Override
        public void write(byte[] octets, int offset, int length) throws IOException {
            look.run();
            // What the library sends behind the alert that has ended the connection goes nowhere.
            if (refused) {
                return;
            }
            try {
                out.write(octets, offset, length);
            } catch (IOException e) {
                broken = true;
                throw e;
            }
        }
    }

    /** Closing it leaves the socket open, so that no alert on its way is lost. */
    private final class Layer extends Socket {
        @Override
        public boolean isConnected() {
            return true;
        }

        @Override
        public InetAddress getInetAddress() {
            return socket.getInetAddress();
        }

        @Override
        public int getPort() {
            return PORT;
        }

        @Override
        public InputStream getInputStream() {
            return input;
        }

        @Override
        public OutputStream getOutputStream() {
            return output;
        }

        @Override
        public void close() {}

        @Override
        public void shutdownInput() {}

        @Override
        public void shutdownOutput() {}
    }
}
