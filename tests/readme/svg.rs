//! What a terminal shows, as an SVG picture.

use std::fmt::Write;

const SIZE: f64 = 14.0;
/// Advance of a monospaced character and height of a line, in pixels at [`SIZE`].
const CHAR: f64 = 8.43;
const LINE: f64 = 19.0;
const MARGIN: f64 = 18.0;

/// A run of text in one style.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Style {
    bold: bool,
    dim: bool,
    /// One of the sixteen colours of a terminal.
    color: Option<u8>,
}

/// The picture of `command` and of what it printed, colours as escape sequences.
pub(crate) fn picture(command: &str, output: &str) -> String {
    let shown = format!("\u{1b}[32m$\u{1b}[0m \u{1b}[1m{command}\u{1b}[0m\n{output}");
    let lines: Vec<&str> = shown.trim_end().lines().collect();
    let columns = lines.iter().map(|line| width(line)).max().unwrap_or(0);
    let (wide, high) = (columns as f64 * CHAR + 2.0 * MARGIN, lines.len() as f64 * LINE + 2.0 * MARGIN);
    let mut svg = String::new();
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{wide:.0}\" height=\"{high:.0}\" \
         viewBox=\"0 0 {wide:.0} {high:.0}\">\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#0d1117\"/>\n\
         <g font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" \
         font-size=\"{SIZE}\" fill=\"#e6edf3\" xml:space=\"preserve\">"
    );
    let mut style = Style::default();
    for (row, line) in lines.iter().enumerate() {
        let y = MARGIN + (row as f64 + 0.75) * LINE;
        let mut column = 0;
        for piece in pieces(line, &mut style) {
            let (style, text) = piece;
            if !text.trim().is_empty() {
                let x = MARGIN + column as f64 * CHAR;
                let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\"{}>{}</text>", style, escaped(text));
            }
            column += text.chars().count();
        }
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

impl std::fmt::Display for Style {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const COLORS: [&str; 8] =
            ["#6e7681", "#ff7b72", "#3fb950", "#d29922", "#79c0ff", "#d2a8ff", "#56d4dd", "#e6edf3"];
        let color = self.color.and_then(|color| COLORS.get(usize::from(color % 8)));
        let color = color.copied().or(self.dim.then_some("#8b949e"));
        if let Some(color) = color {
            write!(out, " fill=\"{color}\"")?;
        }
        if self.bold { write!(out, " font-weight=\"bold\"") } else { Ok(()) }
    }
}

/// The line cut where the style changes; `style` goes on to the next line.
fn pieces<'t>(line: &'t str, style: &mut Style) -> Vec<(Style, &'t str)> {
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some((text, sequence)) = rest.split_once("\u{1b}[") {
        pieces.push((style.clone(), text));
        let (codes, after) = sequence.split_once('m').unwrap_or((sequence, ""));
        apply(codes, style);
        rest = after;
    }
    pieces.push((style.clone(), rest));
    pieces
}

fn apply(codes: &str, style: &mut Style) {
    let mut codes = codes.split(';').map(|code| code.parse::<u8>().unwrap_or(0));
    while let Some(code) = codes.next() {
        match code {
            0 => *style = Style::default(),
            1 => style.bold = true,
            2 => style.dim = true,
            30..=37 => style.color = Some(code - 30),
            90..=97 => style.color = Some(code - 90),
            38 if codes.next() == Some(5) => style.color = codes.next(),
            39 => style.color = None,
            _ => {}
        }
    }
}

fn width(line: &str) -> usize {
    pieces(line, &mut Style::default()).iter().map(|(_, text)| text.chars().count()).sum()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
