package reqmtls;

/** A job needs a capability that this peer lacks. */
final class Unsupported extends Exception {
    private static final long serialVersionUID = 1;

    Unsupported(String capability) {
        super(capability);
    }
}
