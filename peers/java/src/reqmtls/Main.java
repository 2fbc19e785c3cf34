package reqmtls;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.Iterator;
import java.util.List;

/** A TLS library for Java as a reqmtls peer, by peers/README.md. */
final class Main {
    private Main() {}

    /** How many connections wait to be accepted. */
    private static final int BACKLOG = 256;

    /** The first word names the library, the rest are those of the contract. */
    public static void main(String[] words) {
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
        boolean held = false;
        Library library = null;
        for (Iterator<String> rest = List.of(words).iterator(); rest.hasNext(); ) {
            String word = rest.next();
            switch (word) {
                case "jsse" -> library = new Jsse();
                case "bouncycastle" -> library = new BouncyCastle();
                case "--held" -> held = true;
                case "--listen" -> address = address(rest.hasNext() ? rest.next() : "");
                default -> throw new IllegalArgumentException("got " + word + ", expected a library or --listen");
            }
        }
        if (library == null) {
            throw new IllegalArgumentException("expected a library: jsse or bouncycastle");
        }
        try (ServerSocket listener = new ServerSocket(address.getPort(), BACKLOG, address.getAddress())) {
            InetAddress host = listener.getInetAddress();
            String shown = host.getAddress().length > 4 ? "[" + host.getHostAddress() + "]" : host.getHostAddress();
            JsonObject line = new JsonObject();
            line.addProperty("reqmtls", Peer.CONTRACT);
            line.addProperty("listening", shown + ":" + listener.getLocalPort());
            Peer peer = new Peer(library, held);
            // By itself the machine exits with another code than 0 after a signal.
            Runtime.getRuntime().addShutdownHook(new Thread(() -> Runtime.getRuntime().halt(0)));
            System.out.println(line);
            peer.serve(listener);
        } catch (IOException e) {
            System.err.println("cannot listen: " + e.getMessage());
            Runtime.getRuntime().halt(1);
        }
    }

    private static InetSocketAddress address(String text) {
        int colon = text.lastIndexOf(':');
        if (colon < 0) {
            throw new IllegalArgumentException("got --listen " + text + ", expected ADDRESS:PORT");
        }
        return new InetSocketAddress(text.substring(0, colon), Integer.parseInt(text.substring(colon + 1)));
    }
}
