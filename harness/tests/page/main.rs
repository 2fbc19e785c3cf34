//! `index.html`, read by a browser: filters, deep links, what it asks for, whether all can use it.

mod driver;
mod synthetic;

use std::path::Path;

use reqmtls::report::PAGE;
use serde_json::json;

use self::driver::{Browser, browser};
use self::synthetic::{CELLS, Synthetic};

/// The longest that a view may take, in milliseconds: what nobody waits for is a tenth of it, and machines differ.
const LONGEST: f64 = 2000.0;

/// Text whose contrast to what is behind it is below 4.5 (WCAG 2.2 §1.4.3). axe-core leaves that of a drawing and of a
/// single character open.
const CONTRAST: &str = r"
const rgb = (text) => (text.match(/[\d.]+/g) || []).map(Number);
const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
  .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  .reduce((sum, c, place) => sum + c * [0.2126, 0.7152, 0.0722][place], 0);
const behind = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const color = rgb(getComputedStyle(at).backgroundColor);
    if (color.length === 3 || color[3] > 0) return color;
  }
  return [255, 255, 255];
};
const low = [];
for (const element of document.body.querySelectorAll('*')) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  if (!own || !element.checkVisibility() || ['SCRIPT', 'OPTION', 'TITLE'].includes(element.tagName)) continue;
  const style = getComputedStyle(element);
  const front = light(rgb(element.namespaceURI.includes('svg') ? style.fill : style.color));
  const back = light(behind(element));
  const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
  if (ratio < 4.5) low.push(`${element.tagName} ${element.className.baseVal ?? element.className}: ${ratio.toFixed(2)} ${element.textContent.slice(0, 40)}`);
}
return low;
";

async fn open(browser: &Browser, page: &Path) {
    let address = format!("file://{}", page.display());
    browser.client.goto(&address).await.expect("the page");
    browser.load_axe().await;
}

/// Whether everybody can read what is shown.
async fn accessible(browser: &Browser, what: &str) {
    for scheme in ["light", "dark"] {
        browser.prefer(scheme).await;
        assert_eq!(browser.ask(CONTRAST).await, json!([]), "{what}, {scheme}");
        assert_eq!(browser.axe().await, json!([]), "{what}, {scheme}");
    }
}

#[tokio::test]
async fn a_page_of_ten_thousand_cells_filters_at_once_and_asks_nobody_for_anything() {
    let synthetic = Synthetic::make();
    let page = synthetic.folder.path().join(PAGE);
    let size = std::fs::metadata(&page).expect("the page").len();
    assert!(size < 5 << 20, "{size} octets, expected less than 5 MiB");
    let Some(browser) = browser().await else {
        return;
    };
    open(&browser, &page).await;
    accessible(&browser, "overview").await;

    let mut times = Vec::new();
    for hash in [
        "#matrix",
        "#matrix?peer=p1",
        "#matrix?verdict=deviates&server=p2",
        "#matrix?scenario=request-mtls",
        "#findings",
        "#requirements",
        "#requirement/TLS-4",
        "#peers",
        "#peer/p1",
    ] {
        times.push((hash, browser.go(hash).await));
        accessible(&browser, hash).await;
    }
    let shown = "return document.getElementById('count').textContent";
    browser.go("#matrix").await;
    let text = browser.ask(shown).await.to_string();
    assert!(
        text.contains(&format!("{CELLS} of {CELLS} cells")),
        "{text}"
    );
    browser.go("#matrix?verdict=deviates&server=p2").await;
    let text = browser.ask(shown).await.to_string();
    let expected = format!("{} of {CELLS} cells", synthetic.deviating_of("p2"));
    assert!(text.contains(&expected), "{text}, expected {expected}");

    counts_are_those_of_what_they_lead_to(&browser).await;

    let cell = synthetic.a_deviating_cell();
    times.push(("#cell", browser.go(&format!("#cell/{cell}")).await));
    accessible(&browser, "cell").await;
    let ladder = "return document.querySelectorAll('#cell svg.ladder g.alert').length";
    assert_eq!(browser.ask(ladder).await, json!(1));
    let text = "return document.getElementById('cell').innerText";
    let text = browser.ask(text).await.to_string();
    assert!(
        text.contains(synthetic::HOSTILE),
        "what peers write stands there as text: {text}"
    );
    let injected = "return document.querySelectorAll('main script, main img').length + (window.injected ? 1 : 0)";
    assert_eq!(browser.ask(injected).await, json!(0));

    // A filter by the keyboard alone ends up in the address.
    browser.go("#matrix").await;
    let set = "const it = document.querySelector('select[name=client]'); it.focus(); it.value = 'p3'; \
               it.dispatchEvent(new Event('change', { bubbles: true })); return location.hash";
    assert_eq!(browser.ask(set).await, json!("#matrix?client=p3"));

    browser
        .client
        .set_window_size(390, 800)
        .await
        .expect("a phone");
    for hash in [
        "#overview",
        "#matrix?scenario=request-mtls",
        "#findings",
        "#requirements",
        "#peers",
        "#peer/p1",
        &format!("#cell/{cell}"),
    ] {
        browser.go(hash).await;
        let wide =
            "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
        assert_eq!(
            browser.ask(wide).await,
            json!(false),
            "{hash} is wider than a phone"
        );
    }
    let requests = "return performance.getEntriesByType('resource').length";
    assert_eq!(browser.ask(requests).await, json!(0));
    assert_eq!(browser.console().await, [""; 0]);
    browser.close().await;
    eprintln!("{size} octets; milliseconds until drawn: {times:?}");
    for (hash, time) in times {
        assert!(time < LONGEST, "{hash} took {time} ms");
    }
}

/// Follows counts of the list of peers and of that of requirements.
async fn counts_are_those_of_what_they_lead_to(browser: &Browser) {
    browser.go("#peers").await;
    let links = "return [...document.querySelectorAll('#peers td a')].map((it) => [it.getAttribute('href'), it.textContent])";
    let links: Vec<(String, String)> =
        serde_json::from_value(browser.ask(links).await).expect("links");
    assert!(links.len() > 6, "{links:?}");
    for (hash, count) in links {
        browser.go(&hash).await;
        let shown = "return document.getElementById('count').textContent";
        let shown = browser.ask(shown).await;
        let shown = shown.as_str().unwrap_or_default();
        let expected = format!("{count} of {CELLS} cells");
        assert!(shown.starts_with(&expected), "{hash}: {shown}");
    }
    browser.go("#requirements").await;
    let rows = "return [...document.querySelectorAll('#requirements tbody tr')].map((row) => \
                [...row.cells].map((it) => [it.textContent, it.querySelector('a')?.title || '']))";
    let rows: Vec<Vec<(String, String)>> =
        serde_json::from_value(browser.ask(rows).await).expect("rows");
    let row = rows.iter().find(|row| row[0].0 == "TLS-4");
    let row = row.expect("a row of TLS-4");
    browser.go("#requirement/TLS-4").await;
    for (column, word) in [(3, "satisfied"), (5, "violated")] {
        let script = format!(
            "const head = [...document.querySelectorAll('#requirement thead th')].map((it) => it.textContent); \
             const column = head.indexOf('{word}'); \
             const rows = [...document.querySelectorAll('#requirement tbody tr')]; \
             return [...new Set(rows.filter((row) => row.cells[column].textContent && !row.cells[0].textContent.includes('purpose')) \
               .map((row) => row.cells[0].textContent))].sort().join(', ')"
        );
        let peers = browser.ask(&script).await;
        let peers = peers.as_str().unwrap_or_default();
        let (text, title) = &row[column];
        let mut named: Vec<&str> = title.split(", ").filter(|it| !it.is_empty()).collect();
        named.sort_unstable();
        assert_eq!(named.join(", "), peers, "{word}");
        let count = text.split(' ').next().unwrap_or_default();
        let expected = match named.len() {
            0 => "–".to_owned(),
            count => count.to_string(),
        };
        assert_eq!(count, expected, "{word}");
    }
}

#[tokio::test]
async fn the_published_page_opens_at_a_cell() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("a root");
    let Some(browser) = browser().await else {
        return;
    };
    open(&browser, &root.join("results").join(PAGE)).await;
    browser
        .client
        .set_window_size(1280, 900)
        .await
        .expect("a window");
    browser.prefer("light").await;
    accessible(&browser, "overview").await;
    let rows = "return document.querySelectorAll('table.core tbody tr').length";
    let peers = browser.ask(rows).await.as_u64().unwrap_or_default();
    assert!(peers >= 18, "{peers} peers in the first matrix");
    let shots = std::env::var_os("REQMTLS_SCREENSHOTS");
    browser.prefer("light").await;
    shot(&browser, shots.as_deref(), "overview.png").await;
    browser
        .go("#cell/request-mtls/set/absent/require-on-flag/openssl--boringssl")
        .await;
    let ladder = "return document.querySelector('#cell svg.ladder').textContent";
    let text = browser.ask(ladder).await.to_string();
    for message in [
        "tls_flags={request_mtls}",
        "{CertificateRequest}",
        "certificate_required(116)",
    ] {
        assert!(text.contains(message), "{message}: {text}");
    }
    shot(&browser, shots.as_deref(), "cell.png").await;
    assert_eq!(browser.console().await, [""; 0]);
    browser.close().await;
}

/// Writes what the browser shows into a folder, if there is one.
async fn shot(browser: &Browser, folder: Option<&std::ffi::OsStr>, name: &str) {
    let Some(folder) = folder else { return };
    let picture = browser.client.screenshot().await.expect("a picture");
    std::fs::write(Path::new(folder).join(name), picture).expect("the picture is written");
}
