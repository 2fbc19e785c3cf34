package reqmtls;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** The tests of this peer: every method here without parameters that is not private. */
final class Tests {
    private static final HexFormat HEX = HexFormat.of();
    /** The request flag, 80, alone. */
    private static final byte[] SET = HEX.parseHex("0b0000000000000000000001");
    private static final Map<String, String> CAPABILITIES = Map.of(
            "client", "library", "client.flag", "glue", "client.revision.editors-copy", "glue", "server.flag", "glue",
            "server", "library", "server.policy.request-on-flag", "glue");

    public static void main(String[] words) throws Exception {
        int passed = 0;
        for (Method method : Tests.class.getDeclaredMethods()) {
            if (method.getParameterCount() == 0 && !Modifier.isPrivate(method.getModifiers())) {
                try {
                    method.invoke(new Tests());
                    passed++;
                } catch (InvocationTargetException e) {
                    throw new AssertionError(method.getName(), e.getCause());
                }
            }
        }
        System.out.println(passed + " passed, 0 failed");
    }

    private interface Failing {
        Object run() throws Exception;
    }

    private static void rejects(String expected, Failing work) {
        try {
            throw new AssertionError("got " + work.run() + ", expected " + expected);
        } catch (Exception e) {
            equal(e.getMessage(), expected);
        }
    }

    private static void equal(Object got, Object expected) {
        if (!got.equals(expected)) {
            throw new AssertionError("got " + got + ", expected " + expected);
        }
    }

    private static byte[] hex(String... parts) {
        return HEX.parseHex(String.join("", parts).replace(" ", ""));
    }

    private static Setup setup(String side, String json) throws Exception {
        return new Setup(side, Fields.read(json), CAPABILITIES);
    }

    /** The body of a ClientHello that has these extensions. */
    private static byte[] hello(String extensions) {
        String length = HEX.toHexDigits((short) (extensions.length() / 2));
        return hex("0303", "00".repeat(32), "00", "00021301", "0100", length, extensions);
    }

    private static final String OFFERS_TLS13 = "002b0003020304";

    void readsFlags() throws Wrong {
        for (int flag : new int[] {0, 7, 79, 80, 81, 2039}) {
            equal(FlagRules.isSet(SET, flag), flag == 80);
        }
        equal(HEX.formatHex(FlagRules.alone(80)), HEX.formatHex(SET));
        equal(HEX.formatHex(FlagRules.alone(0)), "0101");
    }

    void rejectsEveryMalformedValue() {
        for (String value : List.of("", "00", "01", "0100", "0201", "020100", "010101", "03000000")) {
            rejects("malformed tls_flags: " + value, () -> FlagRules.isSet(hex(value), 80));
        }
    }

    void findsExtensionsInEachMessage() {
        String block = "0008 002b0000 003e0000";
        equal(Messages.find(Messages.ENCRYPTED_EXTENSIONS, hex(block), 62).size(), 1);
        equal(Messages.find(Messages.CERTIFICATE_REQUEST, hex("00", block), 62).size(), 1);
        equal(Messages.find(Messages.NEW_SESSION_TICKET, hex("0000000900000001 0107 00020808", block), 62).size(), 1);
        equal(Messages.find(Messages.SERVER_HELLO, hex("0303", "00".repeat(32), "00 1301 00", block), 62).size(), 1);
        String entry = "00000130" + block;
        equal(Messages.find(Messages.CERTIFICATE, hex("00 00001c", entry, entry), 62).size(), 2);
        equal(Messages.find(Messages.CLIENT_HELLO, hello("003e0000003e0000"), 62).size(), 2);
        equal(Messages.find(20, hex(block), 62).size(), 0);
    }

    void aMessageThatEndsEarlyHasNoMore() {
        byte[] whole = hello("003e00020101");
        for (int length = 0; length < whole.length; length++) {
            byte[] part = Arrays.copyOf(whole, length);
            equal(Messages.find(Messages.CLIENT_HELLO, part, 62).size(), 0);
        }
        equal(Messages.find(Messages.CLIENT_HELLO, whole, 62).size(), 1);
    }

    void aServerAsksOnTheFlagInTls13Alone() throws Exception {
        String flags = "003e000c" + HEX.formatHex(SET);
        Setup setup = onFlag();
        for (var each : Map.of(OFFERS_TLS13 + flags, true, OFFERS_TLS13, false, flags, false).entrySet()) {
            FlagRules rules = new FlagRules(setup, new Report());
            rules.clientHello(hello(each.getKey()));
            equal(rules.asks(), each.getValue());
        }
        FlagRules rules = new FlagRules(setup, new Report());
        rules.clientHello(hello(OFFERS_TLS13 + flags));
        rejects("tls_flags differs in the second ClientHello", () -> {
            rules.clientHello(hello(OFFERS_TLS13));
            return "nothing";
        });
        rejects("tls_flags stands twice in ClientHello", () -> {
            new FlagRules(setup, new Report()).clientHello(hello(OFFERS_TLS13 + flags + flags));
            return "nothing";
        });
    }

    private static Setup onFlag() throws Exception {
        // Neither an identity nor anchors are looked at before the rest.
        rejects("expected an identity for a server", () -> setup("server", "{\"flag\":80}"));
        return setup("client", "{\"server_name\":\"a\",\"flag\":80,\"policy\":\"request-on-flag\"}");
    }

    void aClientHoldsAServerToWhatMayStandWhere() throws Exception {
        String well = "0006 003e0002 0101";
        String malformed = "0006 003e0002 0100";
        String answer = "0010 003e000c" + HEX.formatHex(SET);
        FlagRules draft = client("", SET);
        FlagRules copy = client(",\"revision\":\"editors-copy\"", SET);
        FlagRules copyUnset = client(",\"revision\":\"editors-copy\"", null);
        for (FlagRules rules : List.of(draft, copy, copyUnset)) {
            takes(rules, Messages.CERTIFICATE_REQUEST, "00" + well, true);
            takes(rules, Messages.CERTIFICATE_REQUEST, "00" + malformed, false);
        }
        takes(draft, Messages.ENCRYPTED_EXTENSIONS, answer, false);
        takes(copy, Messages.CERTIFICATE_REQUEST, "00" + answer, true);
        takes(copyUnset, Messages.CERTIFICATE_REQUEST, "00" + answer, false);
        String ticket = "0000000900000001 0107 00020808";
        takes(draft, Messages.NEW_SESSION_TICKET, ticket + answer, true);
        takes(copy, Messages.NEW_SESSION_TICKET, ticket + answer, false);
    }

    private static FlagRules client(String more, byte[] sent) throws Exception {
        Setup setup = setup("client", "{\"server_name\":\"a\",\"flag\":80" + more + "}");
        FlagRules rules = new FlagRules(setup, new Report());
        rules.sends(sent);
        return rules;
    }

    private static void takes(FlagRules rules, int type, String body, boolean expected) {
        boolean taken = true;
        try {
            rules.answer(type, hex(body));
        } catch (Wrong e) {
            taken = false;
        }
        equal(taken, expected);
    }

    void setupsNameWhatIsLacking() {
        rejects("setup.more", () -> setup("client", "{\"more\":1}"));
        rejects("version.tls1.1", () -> setup("client", "{\"versions\":[\"tls1.1\"]}"));
        rejects("client.tls-flags", () -> setup("client", "{\"tls_flags\":\"0101\"}"));
        rejects("expected a server_name for a client", () -> setup("client", "{}"));
        rejects("got flag that is no number of 0 to 2039", () -> setup("client", "{\"flag\":2040}"));
    }

    void readsOneObjectAndNothingElse() throws Wrong {
        equal(Fields.read("{\"a\":1}").number("a", 1), 1L);
        for (String line : List.of("", "{", "{}{}", "{a:1}", "[", "{\"a\":NaN}")) {
            try {
                Fields.read(line);
                throw new AssertionError("got no error for " + line);
            } catch (Wrong e) {
                // As it should be.
            }
        }
    }

    void readsLinesOfALength() throws Exception {
        InputStream in = new ByteArrayInputStream("ab\n\nabcd\n".getBytes(StandardCharsets.US_ASCII));
        equal(Lines.read(in, 4), "ab");
        equal(Lines.read(in, 4), "");
        rejects("got a line of more than 4 octets", () -> Lines.read(in, 4));
    }

    /** However the octets come, the library gets all of them, and the rules each ClientHello. */
    void aTapSeesHellosHoweverTheyCome() throws Exception {
        byte[] hello = hello(OFFERS_TLS13 + "003e000c" + HEX.formatHex(SET));
        byte[] message = hex("010000", HEX.toHexDigits((byte) hello.length), HEX.formatHex(hello));
        byte[] records = hex("160301 0005", HEX.formatHex(message, 0, 5), "160301 00",
                HEX.toHexDigits((byte) (message.length - 5)), HEX.formatHex(message, 5, message.length), "170303 0000");
        for (int width = 1; width <= records.length; width++) {
            int most = width;
            InputStream in = new ByteArrayInputStream(records) {
                @Override
                public synchronized int read(byte[] buffer, int offset, int length) {
                    return super.read(buffer, offset, Math.min(length, most));
                }
            };
            try (ServerSocket listener = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                    Socket socket = new Socket(listener.getInetAddress(), listener.getLocalPort())) {
                Tap tap = new Tap(socket, in);
                FlagRules rules = new FlagRules(onFlag(), new Report());
                tap.follow(rules);
                equal(rules.asks(), true);
                equal(HEX.formatHex(tap.input.readAllBytes()), HEX.formatHex(records));
            }
        }
    }
}
