//! Charts as SVG, written by hand: bars on a logarithmic axis, and lines over two of them.
//!
//! Colours are chosen to be told apart by those who see few, and to stand on white as on dark paper.

use std::fmt::Write as _;

const FONT: &str = "font-family=\"sans-serif\" font-size=\"11\" fill=\"#555\"";
const COLOURS: [&str; 4] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];

/// What is drawn, and the space that it has.
struct Canvas {
    body: String,
    width: f64,
    height: f64,
}

impl Canvas {
    fn new(width: f64, height: f64) -> Canvas {
        Canvas { body: String::new(), width, height }
    }

    fn text(&mut self, x: f64, y: f64, anchor: &str, text: &str) {
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let _ = writeln!(
            self.body,
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" {FONT}>{text}</text>"
        );
    }

    fn line(&mut self, from: (f64, f64), to: (f64, f64), style: &str) {
        let ((x1, y1), (x2, y2)) = (from, to);
        let _ = writeln!(
            self.body,
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" {style}/>"
        );
    }

    fn rectangle(&mut self, x: (f64, f64), y: f64, height: f64, style: &str) {
        let (left, right) = (x.0.min(x.1), x.0.max(x.1));
        let width = (right - left).max(1.0);
        let _ = writeln!(
            self.body,
            "<rect x=\"{left:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" {style}/>"
        );
    }

    fn finish(self) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w:.0} {h:.0}\" width=\"{w:.0}\" \
             height=\"{h:.0}\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{}</svg>\n",
            self.body,
            w = self.width,
            h = self.height
        )
    }
}

const GRID: &str = "stroke=\"#ddd\"";
const AXIS: &str = "stroke=\"#555\"";

/// A logarithmic axis from one value to another, over some length that begins somewhere.
struct Axis {
    low: f64,
    high: f64,
    begin: f64,
    length: f64,
}

impl Axis {
    fn at(&self, value: f64) -> f64 {
        let part = (value / self.low).ln() / (self.high / self.low).ln();
        self.begin + part.clamp(0.0, 1.0) * self.length
    }

    /// One, two and five times each power of ten that is within.
    fn ticks(&self) -> Vec<f64> {
        let powers = self.low.log10().floor() as i32..=self.high.log10().ceil() as i32;
        let ticks = powers.flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(power)));
        ticks.filter(|tick| (self.low * 0.999..=self.high * 1.001).contains(tick)).collect()
    }
}

pub struct Bar {
    pub label: String,
    pub value: f64,
    /// What single rounds said.
    pub range: (f64, f64),
}

/// Ratios, in groups: to the left of 1 is less.
pub fn bars(title: &str, groups: &[(String, Vec<Bar>)]) -> String {
    const ROW: f64 = 15.0;
    let rows: usize = groups.iter().map(|(_, bars)| bars.len() + 2).sum();
    let mut canvas = Canvas::new(820.0, 70.0 + rows as f64 * ROW);
    let values = || groups.iter().flat_map(|(_, bars)| bars).map(|bar| bar.value);
    let low = values().fold(0.2, f64::min);
    let high = values().fold(2.0, f64::max);
    let axis = Axis { low: low / 1.1, high: high * 1.1, begin: 270.0, length: 480.0 };
    canvas.text(10.0, 20.0, "start", title);
    let bottom = canvas.height - 25.0;
    for tick in axis.ticks() {
        let x = axis.at(tick);
        canvas.line((x, 35.0), (x, bottom), if tick == 1.0 { AXIS } else { GRID });
        canvas.text(x, bottom + 14.0, "middle", &format!("{tick}"));
    }
    let mut y = 40.0;
    for (group, bars) in groups {
        canvas.text(10.0, y + 11.0, "start", group);
        y += ROW;
        for bar in bars {
            canvas.text(262.0, y + 11.0, "end", &bar.label);
            let colour = if bar.value > 1.05 { COLOURS[1] } else { COLOURS[0] };
            let x = (axis.at(1.0), axis.at(bar.value));
            canvas.rectangle(x, y + 3.0, ROW - 5.0, &format!("fill=\"{colour}\" fill-opacity=\"0.75\""));
            let middle = y + ROW / 2.0 + 0.5;
            canvas.line(
                (axis.at(bar.range.0), middle),
                (axis.at(bar.range.1), middle),
                "stroke=\"#222\"",
            );
            canvas.text(760.0, y + 11.0, "start", &format!("{:.2}", bar.value));
            y += ROW;
        }
        y += ROW;
    }
    canvas.finish()
}

pub struct Line {
    pub label: String,
    pub points: Vec<(f64, f64)>,
}

/// Several small plots under one title, all of values over sizes.
pub fn plots(title: &str, unit: fn(f64) -> String, plots: &[(String, Vec<Line>)]) -> String {
    const ACROSS: usize = 2;
    const SIZE: (f64, f64) = (420.0, 250.0);
    let down = plots.len().div_ceil(ACROSS);
    let mut canvas = Canvas::new(SIZE.0 * ACROSS as f64, 40.0 + SIZE.1 * down as f64);
    canvas.text(10.0, 20.0, "start", title);
    for (index, (name, lines)) in plots.iter().enumerate() {
        let left = SIZE.0 * (index % ACROSS) as f64;
        let top = 40.0 + SIZE.1 * (index / ACROSS) as f64;
        plot(&mut canvas, (left, top), SIZE, name, unit, lines);
    }
    canvas.finish()
}

fn plot(
    canvas: &mut Canvas,
    (left, top): (f64, f64),
    (width, height): (f64, f64),
    name: &str,
    unit: fn(f64) -> String,
    lines: &[Line],
) {
    let all = || lines.iter().flat_map(|line| line.points.iter().copied());
    let least = |f: fn((f64, f64)) -> f64| all().map(f).fold(f64::INFINITY, f64::min);
    let most = |f: fn((f64, f64)) -> f64| all().map(f).fold(0.0, f64::max);
    if all().next().is_none() {
        return;
    }
    let (bottom, begin) = (top + height - 40.0, left + 70.0);
    let x = Axis { low: least(|p| p.0), high: most(|p| p.0), begin, length: width - 100.0 };
    let y = Axis {
        low: least(|p| p.1) / 1.3,
        high: most(|p| p.1) * 1.3,
        begin: bottom,
        length: -(height - 75.0),
    };
    canvas.text(begin, top + 12.0, "start", name);
    for (index, line) in lines.iter().enumerate() {
        let at = begin + 110.0 * index as f64;
        let style = format!("stroke=\"{}\" stroke-width=\"2\"", COLOURS[index % COLOURS.len()]);
        canvas.line((at, top + 23.0), (at + 15.0, top + 23.0), &style);
        canvas.text(at + 20.0, top + 27.0, "start", &line.label);
    }
    for tick in y.ticks() {
        canvas.line((begin, y.at(tick)), (begin + x.length, y.at(tick)), GRID);
        canvas.text(begin - 5.0, y.at(tick) + 4.0, "end", &unit(tick));
    }
    canvas.line((begin, bottom), (begin + x.length, bottom), AXIS);
    let mut sizes: Vec<f64> = all().map(|p| p.0).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    for size in sizes {
        canvas.text(x.at(size), bottom + 15.0, "middle", &short(size));
    }
    for (index, line) in lines.iter().enumerate() {
        let style = format!("stroke=\"{}\" stroke-width=\"2\"", COLOURS[index % COLOURS.len()]);
        for pair in line.points.windows(2) {
            let at = |(size, value)| (x.at(size), y.at(value));
            canvas.line(at(pair[0]), at(pair[1]), &style);
        }
    }
}

/// A size in few letters.
fn short(size: f64) -> String {
    match size {
        s if s >= 1e6 => format!("{}M", s / 1e6),
        s if s >= 1e3 => format!("{}k", s / 1e3),
        s => format!("{s}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_is_logarithmic_and_ends_where_it_ends() {
        let axis = Axis { low: 0.1, high: 10.0, begin: 100.0, length: 200.0 };
        assert!((axis.at(1.0) - 200.0).abs() < 1e-9);
        assert!((axis.at(0.001) - 100.0).abs() < 1e-9);
        assert_eq!(axis.ticks().len(), 7);
    }

    #[test]
    fn charts_are_closed_and_escape_what_they_are_given() {
        let bar = |value| Bar { label: "a<b".to_owned(), value, range: (value, value) };
        let svg = bars("t", &[("g".to_owned(), vec![bar(0.5), bar(3.0)])]);
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
        assert!(svg.contains("a&lt;b") && svg.contains(COLOURS[0]) && svg.contains(COLOURS[1]));
        let line = Line { label: "l".to_owned(), points: vec![(1.0, 5.0), (1e6, 50.0)] };
        let svg = plots("t", |v| format!("{v}"), &[("p".to_owned(), vec![line])]);
        assert!(svg.contains("1M") && svg.ends_with("</svg>\n"));
    }
}
