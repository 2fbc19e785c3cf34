//! Chromium by way of chromedriver, both gone when the test ends.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use http::Method;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::{Value, json};
use url::{ParseError, Url};

/// How long chromedriver and Chromium may take to be there, each.
const START: Duration = Duration::from_mins(1);

/// What axe-core objects to, and what it leaves open but for contrast.
const AXE: &str = "\
const [done] = arguments; \
const short = ({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((it) => it.html.slice(0, 120)).join(' ')}`; \
axe.run({ preload: false }).then(({ violations, incomplete }) => done([...violations, \
...incomplete.filter((it) => it.id !== 'color-contrast')].map(short)), (error) => done([String(error)]));";

/// A browser.
pub(crate) struct Browser {
    pub(crate) client: Client,
    driver: Driver,
    /// The text of axe-core.
    axe: Option<String>,
}

struct Driver(Child);

impl Drop for Driver {
    fn drop(&mut self) {
        // Chromium is in its group. What is gone already cannot be ended.
        if let Some(group) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        drop(self.0.wait());
    }
}

/// A command that fantoccini does not know.
#[derive(Debug)]
struct Other {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Other {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!(
            "session/{}/{}",
            session.unwrap_or_default(),
            self.path
        ))
    }

    fn method_and_body(&self, _url: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}

/// Starts both; `None`, and a word on stderr, where they are not installed. With `REQMTLS_REQUIRE_CHROMIUM=1` that is a
/// failure.
pub(crate) async fn browser() -> Option<Browser> {
    let spawned = Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => {
            let is_required = std::env::var_os("REQMTLS_REQUIRE_CHROMIUM").is_some();
            assert!(!is_required, "cannot start chromedriver: {error}");
            eprintln!("skipped: cannot start chromedriver (Debian's chromium-driver): {error}");
            return None;
        }
    };
    let out = child.stdout.take().expect("its stdout");
    let driver = Driver(child);
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            let port = line.split_once("started successfully on port ");
            if let Some((_, port)) = port {
                drop(send.send(port.trim_end_matches('.').to_owned()));
            }
        }
    });
    let port = receive
        .recv_timeout(START)
        .expect("chromedriver says where it listens");
    // A container has no name spaces for Chromium's own sandbox.
    let arguments = json!([
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--hide-scrollbars"
    ]);
    let capabilities = json!({
        "goog:chromeOptions": { "args": arguments },
        "goog:loggingPrefs": { "browser": "ALL" },
    });
    let Value::Object(capabilities) = capabilities else {
        unreachable!("an object")
    };
    let address = format!("http://127.0.0.1:{port}");
    let mut builder = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
    builder.capabilities(capabilities);
    let client = tokio::time::timeout(START, builder.connect(&address));
    let client = client.await.expect("in time").expect("a session");
    let axe = axe();
    Some(Browser {
        client,
        driver,
        axe,
    })
}

/// The text of axe-core; `None`, and a word on stderr, where it is not there. That is a failure where Chromium is required.
fn axe() -> Option<String> {
    let text = match std::env::var("REQMTLS_AXE") {
        Ok(path) => std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}")),
        Err(_) => Err("REQMTLS_AXE names no axe.min.js; .ci/run fetches one".to_owned()),
    };
    if let Err(reason) = &text {
        let is_required = std::env::var_os("REQMTLS_REQUIRE_CHROMIUM").is_some();
        assert!(!is_required, "{reason}");
        eprintln!("skipped: accessibility by axe-core: {reason}");
    }
    text.ok()
}

impl Browser {
    /// What the page wrote to the console, errors of loading and of its policy included.
    pub(crate) async fn console(&self) -> Vec<String> {
        let log = Other {
            path: "se/log",
            body: json!({ "type": "browser" }),
        };
        let entries = self.client.issue_cmd(log).await.expect("the log");
        let entries = entries.as_array().cloned().unwrap_or_default();
        entries
            .iter()
            .map(|entry| entry["message"].to_string())
            .collect()
    }

    /// Has the page believe that the reader prefers `light` or `dark`, or reads it on `print`.
    pub(crate) async fn prefer(&self, scheme: &str) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        let body = json!({
            "cmd": "Emulation.setEmulatedMedia",
            "params": { "features": features },
        });
        let path = "goog/cdp/execute";
        let set = self.client.issue_cmd(Other { path, body }).await;
        set.expect("the emulation");
    }

    /// What a script returns.
    pub(crate) async fn ask(&self, script: &str) -> Value {
        let answer = self.client.execute(script, Vec::new()).await;
        answer.unwrap_or_else(|error| panic!("{error}: {script:.200}"))
    }

    /// Has the page that is open take axe-core in.
    pub(crate) async fn load_axe(&self) {
        if let Some(axe) = &self.axe {
            self.ask(axe).await;
        }
    }

    /// What axe-core objects to in what is shown; nothing where it is not there.
    pub(crate) async fn axe(&self) -> Value {
        if self.axe.is_none() {
            return json!([]);
        }
        let found = self.client.execute_async(AXE, Vec::new()).await;
        found.expect("the answer of axe-core")
    }

    /// Goes to a place in the page, and returns how many milliseconds it took until that was drawn.
    pub(crate) async fn go(&self, hash: &str) -> f64 {
        let script = "const [hash, done] = arguments; const start = performance.now(); \
                      location.hash = hash; \
                      setTimeout(() => requestAnimationFrame(() => setTimeout(() => done(performance.now() - start))))";
        let time = self.client.execute_async(script, vec![json!(hash)]).await;
        time.expect(hash).as_f64().expect("a time")
    }

    /// Ends both.
    pub(crate) async fn close(self) {
        self.client.close().await.expect("the session ends");
        drop(self.driver);
    }
}
