//! `matrix.svg`: the core question as a picture that a README can show.

use askama::Template;

use super::Square;

/// The width of a column.
const STEP: usize = 44;
const ROW: usize = 22;
/// Where columns begin.
const LEFT: usize = 100;
/// Where rows begin.
const TOP: usize = 92;
const GOOD: &str = "#e3f4e6";
const BAD: &str = "#fde3df";
const NONE: &str = "#f2f4f7";
/// What colours and signs mean.
const LEGEND: [(&str, &str, &str); 4] = [
    (
        GOOD,
        "auth",
        "conforms: the client is asked, and authenticated",
    ),
    (
        GOOD,
        "S116",
        "conforms: refused by the server’s alert of that number; C: by the client’s",
    ),
    (BAD, "!", "there is a finding; FAILED: not judged"),
    (
        NONE,
        "n/a",
        "an end lacks what the case needs; –: not run, versions of one library meet the reference and themselves",
    ),
];
/// The width of its longest line.
const WIDEST: usize = 720;

#[derive(Template)]
#[template(path = "matrix.svg", escape = "html")]
struct Svg<'a> {
    title: &'a str,
    width: usize,
    height: usize,
    top: usize,
    step: usize,
    heads: Vec<Head<'a>>,
    rows: Vec<Row<'a>>,
    squares: Vec<Drawn<'a>>,
    legend: Vec<Meaning>,
}

struct Meaning {
    y: usize,
    base: usize,
    fill: &'static str,
    sign: &'static str,
    text: &'static str,
}

struct Head<'a> {
    x: usize,
    name: &'a str,
}

struct Row<'a> {
    y: usize,
    name: &'a str,
}

struct Drawn<'a> {
    x: usize,
    y: usize,
    middle: usize,
    base: usize,
    fill: &'static str,
    sign: &'a str,
}

/// The picture of a matrix.
pub(super) fn svg(
    title: &str,
    servers: &[&str],
    rows: &[(&str, Vec<Square>)],
) -> Result<String, askama::Error> {
    let heads = servers.iter().enumerate().map(|(at, name)| Head {
        x: LEFT + at * STEP + STEP / 2,
        name,
    });
    let names = rows.iter().enumerate().map(|(at, (name, _))| Row {
        y: TOP + at * ROW + 15,
        name,
    });
    let squares = rows.iter().enumerate().flat_map(|(row, (_, squares))| {
        squares.iter().enumerate().map(move |(column, square)| {
            let (x, y) = (LEFT + column * STEP, TOP + row * ROW);
            Drawn {
                x,
                y,
                middle: x + STEP / 2,
                base: y + 15,
                fill: match square.class {
                    "conforms" => GOOD,
                    "deviates" | "failed" => BAD,
                    _ => NONE,
                },
                sign: square.sign.as_deref().unwrap_or("–"),
            }
        })
    });
    let bottom = TOP + rows.len() * ROW + ROW;
    let legend = LEGEND.into_iter().enumerate();
    let legend = legend.map(|(at, (fill, sign, text))| Meaning {
        y: bottom + at * ROW,
        base: bottom + at * ROW + 15,
        fill,
        sign,
        text,
    });
    Svg {
        title,
        // Heads lean to the right.
        width: (LEFT + servers.len() * STEP + 60).max(WIDEST),
        height: bottom + LEGEND.len() * ROW + 8,
        top: TOP - 6,
        step: STEP,
        heads: heads.collect(),
        rows: names.collect(),
        squares: squares.collect(),
        legend: legend.collect(),
    }
    .render()
}
