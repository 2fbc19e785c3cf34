use crate::words;

words! {
    /// One end of a connection, named by its TLS role.
    pub enum Side {
        /// The end that sends ClientHello.
        Client = "client",
        /// The end that answers it.
        Server = "server",
    }
}

impl Side {
    /// Both sides, the client first.
    pub const BOTH: [Self; 2] = [Self::Client, Self::Server];

    /// The other end.
    #[must_use]
    pub fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    /// `client` or `server`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.as_str()
    }

    /// The letter that starts the side's lines in a printed transcript.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Client => 'C',
            Self::Server => 'S',
        }
    }
}
