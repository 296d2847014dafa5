//! Draws a terminal's screen as SVG, for readers with a dark or a light page.

use std::fmt::Write as _;

/// One character cell, or two for a wide character.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Glyph {
    pub(super) text: String,
    pub(super) color: vt100::Color,
    pub(super) bold: bool,
    pub(super) dim: bool,
    pub(super) inverse: bool,
    pub(super) columns: usize,
}

/// The size of a cell.
const WIDTH: f64 = 8.4;
const HEIGHT: f64 = 18.0;

const MARGIN: f64 = 12.0;

/// The first eight colours on a light and on a dark page: terminals choose them themselves.
const NAMED: [(&str, &str); 8] = [
    ("#1f2328", "#c9d1d9"),
    ("#b3261e", "#ff7b72"),
    ("#1a7f37", "#56d364"),
    ("#7d5a00", "#e3b341"),
    ("#0550ae", "#79c0ff"),
    ("#8250df", "#d2a8ff"),
    ("#0b6e75", "#56d4dd"),
    ("#57606a", "#8b949e"),
];

/// The rows of a screen, without blanks and empty rows at their ends.
pub(super) fn glyphs(screen: &vt100::Screen) -> Vec<Vec<Glyph>> {
    let (rows, columns) = screen.size();
    let mut all: Vec<Vec<Glyph>> = (0..rows.get())
        .map(|row| {
            let cells = (0..columns.get()).filter_map(|column| screen.cell(row, column));
            let mut glyphs: Vec<_> = cells.filter(|cell| !cell.is_wide_continuation()).map(glyph).collect();
            let end = glyphs.iter().rposition(|glyph| glyph.text != " " || glyph.inverse);
            glyphs.truncate(end.map_or(0, |end| end + 1));
            glyphs
        })
        .collect();
    let end = all.iter().rposition(|row| !row.is_empty());
    all.truncate(end.map_or(0, |end| end + 1));
    let start = all.iter().position(|row| !row.is_empty()).unwrap_or(0);
    all.split_off(start)
}

fn glyph(cell: &vt100::Cell) -> Glyph {
    Glyph {
        text: if cell.has_contents() { cell.contents().to_owned() } else { " ".to_owned() },
        color: cell.fgcolor(),
        bold: cell.bold(),
        dim: cell.dim(),
        inverse: cell.inverse(),
        columns: if cell.is_wide() { 2 } else { 1 },
    }
}

pub(super) fn text(row: &[Glyph]) -> String {
    row.iter().map(|glyph| glyph.text.as_str()).collect::<String>().trim_end().to_owned()
}

/// One of the 256 colours beyond the first 16.
pub(super) fn rgb(index: u8) -> [u8; 3] {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    match index {
        232.. => [8 + 10 * (index - 232); 3],
        _ => {
            let cube = usize::from(index.saturating_sub(16));
            [cube / 36, cube / 6 % 6, cube % 6].map(|level| LEVELS[level])
        }
    }
}

/// The contrast of two colours, as WCAG 2 defines it.
pub(super) fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let linear = |part: u8| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    let luminance = |[r, g, b]: [u8; 3]| 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Draws rows as an image.
pub(super) fn svg(rows: &[Vec<Glyph>]) -> String {
    let size =
        |cells: usize, cell: f64| 2.0f64.mul_add(MARGIN, f64::from(u32::try_from(cells).unwrap()) * cell);
    let columns = rows.iter().map(|row| row.iter().map(|glyph| glyph.columns).sum()).max().unwrap_or(0);
    let (width, height) = (size(columns.max(80), WIDTH), size(rows.len(), HEIGHT));
    let mut image = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>A session of lanchat in a terminal</title>\n{}\n\
         <rect class=\"page\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>\n",
        style()
    );
    for (at, row) in rows.iter().enumerate() {
        let y = f64::from(u32::try_from(at).unwrap()).mul_add(HEIGHT, MARGIN);
        let mut column = 0;
        for run in row.chunk_by(|a, b| looks(a) == looks(b)) {
            let columns: usize = run.iter().map(|glyph| glyph.columns).sum();
            draw(&mut image, run, column, columns, y);
            column += columns;
        }
    }
    image + "</svg>\n"
}

fn looks(glyph: &Glyph) -> (vt100::Color, bool, bool, bool) {
    (glyph.color, glyph.bold, glyph.dim, glyph.inverse)
}

fn draw(image: &mut String, run: &[Glyph], column: usize, columns: usize, y: f64) {
    let cells = |count: usize| f64::from(u32::try_from(count).unwrap()) * WIDTH;
    let (x, width) = (MARGIN + cells(column), cells(columns));
    let text: String = run.iter().map(|glyph| glyph.text.as_str()).collect();
    let look = &run[0];
    if text.trim().is_empty() && !look.inverse {
        return;
    }
    let (class, fill) = match look.color {
        vt100::Color::Idx(index @ 16..) => {
            let [r, g, b] = rgb(index);
            (String::new(), format!(" fill=\"#{r:02x}{g:02x}{b:02x}\""))
        }
        vt100::Color::Idx(index) => (format!("c{}", index % 8), String::new()),
        _ => ("text".to_owned(), String::new()),
    };
    if look.inverse {
        let _ = writeln!(
            image,
            "<rect class=\"{class}\"{fill} x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{HEIGHT}\"/>"
        );
    }
    let (class, fill) = if look.inverse { ("page".to_owned(), String::new()) } else { (class, fill) };
    let weight = if look.bold { " font-weight=\"bold\"" } else { "" };
    let opacity = if look.dim { " opacity=\"0.65\"" } else { "" };
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let _ = writeln!(
        image,
        "<text class=\"{class}\"{fill}{weight}{opacity} x=\"{x:.1}\" y=\"{:.1}\" textLength=\"{width:.1}\" \
         xml:space=\"preserve\">{escaped}</text>",
        y + 13.5
    );
}

fn style() -> String {
    let colors = |pick: fn(&(&'static str, &'static str)) -> &'static str| {
        let named = NAMED.iter().enumerate().map(|(at, pair)| format!(".c{at}{{fill:{}}}", pick(pair)));
        named.collect::<String>()
    };
    format!(
        "<style>text{{font:14px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace}}\
         .page{{fill:#fff}}.text{{fill:#1f2328}}{}\
         @media(prefers-color-scheme:dark){{.page{{fill:#0d1117}}.text{{fill:#e6edf3}}{}}}</style>",
        colors(|pair| pair.0),
        colors(|pair| pair.1)
    )
}
