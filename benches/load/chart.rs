//! The chart: what a delivery costs by the size of the groups, as an SVG that can be read on a light and
//! on a dark page.

use super::figures::Table;
use super::kind::Kind;
use std::fmt::Write;

const WIDTH: f64 = 800.0;
const HEIGHT: f64 = 380.0;

/// Where the two panels' fields begin, and how big they are.
const LEFTS: [f64; 2] = [70.0, 480.0];
const TOP: f64 = 84.0;
const FIELD: (f64, f64) = (290.0, 230.0);

/// What a chart shows.
pub struct Chart {
    title: &'static str,
    /// Key of the figure, and the panel's title.
    panels: [(&'static str, &'static str); 2],
    /// The axis to the right, and a table's place on it.
    axis: &'static str,
    place: fn(&Table) -> String,
}

pub const LOBBY: Chart = Chart {
    title: "Server CPU a delivery, in nanoseconds, by number of clients",
    panels: [("paced_ns", "one message at a time"), ("flood_ns", "flood, 64 messages in flight")],
    axis: "clients",
    place: |table| thousands(table.clients as f64),
};

pub const DIRECTS: Chart = Chart {
    title: "Server CPU a message from person to person, in microseconds, by number of pairs",
    panels: [("alone_us", "one message at a time"), ("busy_us", "flood, 8 messages of each person")],
    axis: "pairs",
    place: |table| thousands((table.clients / 2) as f64),
};

pub const ROOMS: Chart = Chart {
    title: "Server CPU a delivery in rooms, in nanoseconds, by number of rooms and members",
    panels: [
        ("room_alone_ns", "one message at a time"),
        ("room_busy_ns", "flood, 2 messages of each sender"),
    ],
    axis: "rooms",
    place: |table| table.what.replace(" rooms", ""),
};

/// Kind, its class in the style, and its name in the legend.
const LINES: [(Kind, &str, &str); 4] = [
    (Kind::Floor, "plain floor", "floor"),
    (Kind::Plain, "plain", "lanchat"),
    (Kind::FloorTls, "tls floor", "floor, TLS"),
    (Kind::Tls, "tls", "lanchat, TLS"),
];

const STYLE: &str = "\
text{font:13px system-ui,sans-serif;fill:#24292f}\
.title{font-size:15px;font-weight:600}\
.grid{stroke:#d0d7de;stroke-width:1}\
.line{fill:none;stroke-width:2.5}\
.plain{stroke:#0969da}.tls{stroke:#bc4c00}\
.floor{stroke-dasharray:3 5}\
circle{stroke-width:2.5;fill:#fff}circle.floor{stroke-dasharray:none}\
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.grid{stroke:#3d444d}\
.plain{stroke:#4493f8}.tls{stroke:#f0883e}circle{fill:#0d1117}}";

/// Draws the medians of all tables, one for each number of clients.
pub fn draw(tables: &[Table], chart: &Chart) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-label=\"{}\">\n<style>{STYLE}</style>\n",
        chart.title
    );
    text(&mut svg, (16.0, 24.0), "title", chart.title);
    legend(&mut svg);
    for (left, panel) in LEFTS.into_iter().zip(chart.panels) {
        draw_panel(&mut svg, tables, left, panel, chart);
    }
    svg.push_str("</svg>\n");
    svg
}

fn legend(svg: &mut String) {
    for (n, (_, class, name)) in LINES.into_iter().enumerate() {
        let x = 16.0 + 130.0 * n as f64;
        let _ = writeln!(svg, "<path class=\"line {class}\" d=\"M{x} 46h30\"/>");
        text(svg, (x + 38.0, 50.0), "", name);
    }
}

fn draw_panel(svg: &mut String, tables: &[Table], left: f64, (key, title): (&str, &str), chart: &Chart) {
    let (width, height) = FIELD;
    let values = LINES.iter().flat_map(|line| tables.iter().filter_map(|table| table.median(line.0, key)));
    let (low, high) =
        values.fold((f64::MAX, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
    if low > high {
        return;
    }
    // A logarithmic axis: half and twice as much are as far.
    let ticks = ticks(low, high);
    let (Some(low), Some(high)) = (ticks.first(), ticks.last()) else { return };
    let (low, high) = (low.ln(), high.ln());
    let y = |value: f64| TOP + height * (high - value.ln()) / (high - low);
    let x = |n: usize| left + width * (n as f64 + 0.5) / tables.len() as f64;
    text(svg, (left, TOP - 10.0), "", title);
    for tick in ticks {
        let _ = writeln!(svg, "<path class=\"grid\" d=\"M{left:.1} {:.1}h{width}\"/>", y(tick));
        text(svg, (left - 8.0, y(tick) + 4.0), "end", &thousands(tick));
    }
    for (n, table) in tables.iter().enumerate() {
        text(svg, (x(n), TOP + height + 20.0), "middle", &(chart.place)(table));
    }
    text(svg, (left + width / 2.0, TOP + height + 42.0), "middle", chart.axis);
    for (kind, class, _) in LINES {
        let points: Vec<_> = tables
            .iter()
            .enumerate()
            .filter_map(|(n, table)| Some((x(n), y(table.median(kind, key)?))))
            .collect();
        let path: Vec<_> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = writeln!(svg, "<polyline class=\"line {class}\" points=\"{}\"/>", path.join(" "));
        for (x, y) in points {
            let _ = writeln!(svg, "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\"/>");
        }
    }
}

/// 1, 2, 3, 5 and 7 of each power of ten, from the last that is not above `low` to the first that is not
/// below `high`.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let all = (0..7).flat_map(|power| [1.0, 2.0, 3.0, 5.0, 7.0].map(|digit| digit * 10_f64.powi(power)));
    let all: Vec<f64> = all.collect();
    let first = all.iter().rposition(|tick| *tick <= low).unwrap_or(0);
    let last = all.iter().position(|tick| *tick >= high).unwrap_or(all.len() - 1);
    all[first..=last].to_vec()
}

fn thousands(number: f64) -> String {
    let number = number as u64;
    if number < 1000 { number.to_string() } else { format!("{},{:03}", number / 1000, number % 1000) }
}

/// `style` is a class, or where the text has its place.
fn text(svg: &mut String, (x, y): (f64, f64), style: &str, text: &str) {
    let style = match style {
        "" => String::new(),
        "end" | "middle" => format!(" text-anchor=\"{style}\""),
        class => format!(" class=\"{class}\""),
    };
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\"{style}>{text}</text>");
}
