use crate::{Job, Policy, PrepareError, Revision, Side};

/// The number of flags that there can be (draft-ietf-tls-tlsflags-16 §2).
const FLAGS: u16 = 2040;

impl Job {
    /// Whether the setup makes sense for its side, whatever the peer can do.
    ///
    /// # Errors
    ///
    /// [`PrepareError::Invalid`] with what was got and what was expected.
    pub fn check(&self) -> Result<(), PrepareError> {
        let setup = &self.setup;
        let invalid = |message: String| Err(PrepareError::Invalid(message));
        if let Some(flag) = setup.flag.filter(|flag| *flag >= FLAGS) {
            return invalid(format!("got flag {flag}, expected at most {}", FLAGS - 1));
        }
        if setup.flag.is_none() && setup.revision == Some(Revision::EditorsCopy) {
            return invalid("expected a flag for revision editors-copy".to_owned());
        }
        let policy = setup.policy.unwrap_or(Policy::Never);
        match self.side {
            Side::Client if setup.server_name.is_none() => {
                invalid("expected a server_name for a client".to_owned())
            }
            Side::Server if setup.identity.is_none() => {
                invalid("expected an identity for a server".to_owned())
            }
            Side::Server if policy.is_on_flag() && setup.flag.is_none() => {
                invalid(format!("expected a flag for policy {policy}"))
            }
            Side::Server if policy != Policy::Never && setup.trust_anchors.is_none() => {
                invalid(format!("expected trust_anchors for policy {policy}"))
            }
            Side::Client | Side::Server => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(side: &str, setup: &Value) -> String {
        let job = Job::from_value(&json!({ "id": "a", "side": side, "setup": setup })).unwrap();
        job.check()
            .map_or_else(|error| error.to_string(), |()| "fine".to_owned())
    }

    #[test]
    fn a_setup_that_makes_no_sense_is_invalid() {
        let identity = json!({ "certificates": "", "private_key": "" });
        assert_eq!(
            check("client", &json!({})),
            "expected a server_name for a client"
        );
        assert_eq!(
            check("client", &json!({ "server_name": "a", "flag": 2040 })),
            "got flag 2040, expected at most 2039"
        );
        assert_eq!(
            check(
                "client",
                &json!({ "server_name": "a", "revision": "editors-copy" })
            ),
            "expected a flag for revision editors-copy"
        );
        assert_eq!(
            check("server", &json!({})),
            "expected an identity for a server"
        );
        let server = |policy: &str| json!({ "identity": identity, "policy": policy });
        assert_eq!(
            check("server", &server("require-on-flag")),
            "expected a flag for policy require-on-flag"
        );
        assert_eq!(
            check("server", &server("request")),
            "expected trust_anchors for policy request"
        );
        assert_eq!(check("server", &server("never")), "fine");
    }
}
