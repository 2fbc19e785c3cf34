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
                    "conforms" => "#e3f4e6",
                    "deviates" | "failed" => "#fde3df",
                    _ => "#f2f4f7",
                },
                sign: square.sign.as_deref().unwrap_or("–"),
            }
        })
    });
    Svg {
        title,
        // Heads lean to the right.
        width: LEFT + servers.len() * STEP + 60,
        height: TOP + rows.len() * ROW + 8,
        top: TOP - 6,
        step: STEP,
        heads: heads.collect(),
        rows: names.collect(),
        squares: squares.collect(),
    }
    .render()
}
