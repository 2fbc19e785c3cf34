package reqmtls;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Lines of text on a stream, each at most so long. */
final class Lines {
    private Lines() {}

    /** Reads a line without its end; null at the end of the stream. */
    static String read(InputStream in, int most) throws IOException, Wrong {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        for (int octet = in.read(); octet != '\n'; octet = in.read()) {
            if (octet < 0 && line.size() == 0) {
                return null;
            }
            if (octet < 0) {
                throw new EOFException("got a line without end");
            }
            line.write(octet);
            if (line.size() >= most) {
                throw new Wrong("got a line of more than " + most + " octets");
            }
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(line.toByteArray())).toString();
        } catch (CharacterCodingException e) {
            throw new Wrong("got a line that is no UTF-8");
        }
    }

    static void write(OutputStream out, String line) throws IOException {
        out.write((line + "\n").getBytes(StandardCharsets.UTF_8));
        out.flush();
    }
}
