package reqmtls;

/** What was got makes no sense: the message of an {@code error} reply. */
final class Wrong extends Exception {
    private static final long serialVersionUID = 1;

    Wrong(String message) {
        super(message);
    }
}
