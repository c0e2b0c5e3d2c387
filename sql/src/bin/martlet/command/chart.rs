//! `.chart`: the last result as bars, a line or a histogram, in characters.

use std::fmt::Write;

use arrow::datatypes::Schema;
use martlet::output::{CellKind, Cells};
use unicode_width::UnicodeWidthStr;

use super::{usage, wrong};
use crate::format::fitted;
use crate::last::Kept;
use crate::session::{Failure, Next, Session};

/// The kinds of charts.
const KINDS: [&str; 3] = ["bar", "line", "hist"];
/// Bars drawn at most.
const BARS_MAX: usize = 60;
/// Intervals of a histogram, at most.
const BINS_MAX: usize = 20;
/// Lines of a line chart.
const HEIGHT: usize = 14;
/// Columns named to somebody who named another.
const NAMES_MAX: usize = 5;
/// Columns that labels may take.
const LABEL_WIDTH_MAX: usize = 30;

pub(super) fn run(session: &mut Session<'_>, arguments: &[String]) -> Result<Next, Failure> {
    let Some((kind, names)) = arguments.split_first() else { return Err(usage("chart")) };
    if !KINDS.contains(&kind.as_str()) {
        return Err(wrong(kind, "a chart: there are bar, line and hist"));
    }
    if !matches!((kind.as_str(), names.len()), ("bar" | "line", 0 | 2) | ("hist", 0 | 1)) {
        return Err(usage("chart"));
    }
    let kept = session.last.kept()?;
    let width = session.view.line_width();
    let text = match kind.as_str() {
        "bar" => bars(&points(kept, names)?, width),
        "line" => line(&points(kept, names)?, width),
        _ => histogram(&numbers_of(kept, names)?, width),
    };
    session.say(&text)?;
    Ok(Next::Go)
}

/// Labels with their numbers.
struct Points {
    name: String,
    points: Vec<(String, f64)>,
}

/// The columns that `names` name, or the first label and the first number.
fn points(kept: &Kept, names: &[String]) -> Result<Points, Failure> {
    let schema = &kept.schema;
    let (label, number) = if let [label, number] = names {
        (position(schema, label)?, numeric(kept, position(schema, number)?)?)
    } else {
        let numbers = numeric_columns(schema);
        let is_label = |at: &usize| !numbers.contains(at);
        let label = (0..schema.fields().len()).find(is_label);
        // Of numbers alone, the first labels the second.
        match (label, &numbers[..]) {
            (Some(label), [number, ..]) => (label, *number),
            (None, [label, number, ..]) => (*label, *number),
            _ => return Err(nothing_to_draw("a column of labels and one of numbers")),
        }
    };
    let mut points = Vec::new();
    for batch in &kept.batches {
        let (labels, numbers) =
            (Cells::new(batch.column(label))?, Cells::new(batch.column(number))?);
        for row in 0..batch.num_rows() {
            if let Some(number) = finite(&numbers, row) {
                points.push((text_of(&labels, row), number));
            }
        }
    }
    if points.is_empty() {
        return Err(nothing_to_draw("a number"));
    }
    Ok(Points { name: schema.field(number).name().clone(), points })
}

fn numbers_of(kept: &Kept, names: &[String]) -> Result<Points, Failure> {
    let column = match names.first() {
        Some(name) => numeric(kept, position(&kept.schema, name)?)?,
        None => *numeric_columns(&kept.schema)
            .first()
            .ok_or_else(|| nothing_to_draw("a column of numbers"))?,
    };
    let mut points = Vec::new();
    for batch in &kept.batches {
        let cells = Cells::new(batch.column(column))?;
        let numbers = (0..batch.num_rows()).filter_map(|row| finite(&cells, row));
        points.extend(numbers.map(|number| (String::new(), number)));
    }
    if points.is_empty() {
        return Err(nothing_to_draw("a number"));
    }
    Ok(Points { name: kept.schema.field(column).name().clone(), points })
}

fn nothing_to_draw(what: &str) -> Failure {
    Failure::Sql(format!("error: the last result lacks {what} to draw\n"))
}

fn position(schema: &Schema, name: &str) -> Result<usize, Failure> {
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let exact = names.iter().position(|known| *known == name);
    let folded = || names.iter().position(|known| known.eq_ignore_ascii_case(name));
    exact.or_else(folded).ok_or_else(|| {
        let near = martlet::nearest(name, names.iter().copied());
        let meant = if near.is_empty() {
            let first = names.iter().take(NAMES_MAX).copied().collect::<Vec<_>>().join(", ");
            let more = if names.len() > NAMES_MAX { ", …" } else { "" };
            format!("hint: it has {first}{more}\n")
        } else {
            format!("did you mean: {}\n", near.join(", "))
        };
        Failure::Sql(format!("error: the last result has no column {name}\n{meant}"))
    })
}

fn numeric(kept: &Kept, column: usize) -> Result<usize, Failure> {
    if kept.schema.field(column).data_type().is_numeric() {
        return Ok(column);
    }
    let name = kept.schema.field(column).name();
    Err(Failure::Sql(format!("error: the column {name} has no numbers\n")))
}

fn numeric_columns(schema: &Schema) -> Vec<usize> {
    let fields = schema.fields().iter().enumerate();
    fields.filter(|(_, field)| field.data_type().is_numeric()).map(|(at, _)| at).collect()
}

fn text_of(cells: &Cells<'_>, row: usize) -> String {
    let mut text = String::new();
    if cells.is_null(row) {
        text.push_str("NULL");
    } else {
        cells.write(row, &mut text);
    }
    text
}

fn finite(cells: &Cells<'_>, row: usize) -> Option<f64> {
    if cells.is_null(row) || cells.kind() != CellKind::Number {
        return None;
    }
    text_of(cells, row).parse().ok().filter(|number: &f64| number.is_finite())
}

/// A line per label, with its bar and its number.
fn bars(points: &Points, width: usize) -> String {
    let shown = &points.points[..points.points.len().min(BARS_MAX)];
    let labels: Vec<String> =
        shown.iter().map(|(label, _)| fitted(label, LABEL_WIDTH_MAX)).collect();
    let values: Vec<String> = shown.iter().map(|(_, value)| number_text(*value)).collect();
    let widest = |texts: &[String]| texts.iter().map(|text| text.width()).max().unwrap_or(0);
    let (label_width, value_width) = (widest(&labels), widest(&values));
    let room = width.saturating_sub(label_width + value_width + 4).clamp(8, 100);
    let largest = shown.iter().map(|(_, value)| value.abs()).fold(0.0, f64::max);
    let mut text = format!("{}\n", points.name);
    for ((label, value), (_, number)) in labels.iter().zip(&values).zip(shown) {
        let padding = " ".repeat(label_width - label.width());
        let bar = bar(number.abs() / largest.max(f64::MIN_POSITIVE), room, *number < 0.0);
        append(&mut text, format_args!(" {label}{padding} {value:>value_width$} {bar}\n"));
    }
    let hidden = points.points.len() - shown.len();
    if hidden > 0 {
        append(&mut text, format_args!("… {hidden} more rows: add LIMIT\n"));
    }
    text
}

/// `share` of `room` characters, in eighths.
fn bar(share: f64, room: usize, is_negative: bool) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of 0 to 1 of at most 100 characters"
    )]
    let eighths = (share * room as f64 * 8.0).round() as usize;
    if is_negative {
        return "░".repeat(eighths.div_ceil(8));
    }
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

/// The numbers in the order of the rows, as dots of braille characters, two by four in each.
fn line(points: &Points, width: usize) -> String {
    let numbers: Vec<f64> = points.points.iter().map(|(_, number)| *number).collect();
    let (least, most) = bounds(&numbers);
    let (top, bottom) = (number_text(most), number_text(least));
    let margin = top.width().max(bottom.width());
    let columns = width.saturating_sub(margin + 3).clamp(10, 120);
    let mut canvas = vec![vec![0_u8; columns]; HEIGHT];
    let mut before = None;
    for x in 0..columns * 2 {
        let y = level(value_at(&numbers, x, columns * 2 - 1), least, most);
        let from = before.unwrap_or(y);
        for dot in from.min(y)..=from.max(y) {
            set_dot(&mut canvas, x, dot);
        }
        before = Some(y);
    }
    let mut text = format!("{}\n", points.name);
    for (index, cells) in canvas.iter().enumerate() {
        let label = match index {
            0 => &top,
            _ if index + 1 == HEIGHT => &bottom,
            _ => "",
        };
        let dots: String =
            cells.iter().filter_map(|dots| char::from_u32(0x2800 + u32::from(*dots))).collect();
        append(&mut text, format_args!("{label:>margin$} ┤{dots}\n"));
    }
    let label = |at: usize| fitted(&points.points[at].0, columns / 2 - 1);
    let (first, last) = (label(0), label(numbers.len() - 1));
    let gap = columns.saturating_sub(first.width() + last.width());
    append(&mut text, format_args!("{:margin$}  {first}{}{last}\n", "", " ".repeat(gap)));
    text
}

/// The number at `x` of `end`: between two numbers, what is on the straight line.
fn value_at(numbers: &[f64], x: usize, end: usize) -> f64 {
    let place = x * (numbers.len() - 1);
    let (at, rest) = (place / end, place % end);
    let next = numbers[(at + 1).min(numbers.len() - 1)];
    #[expect(clippy::cast_precision_loss, reason = "a few hundred dots")]
    let share = rest as f64 / end as f64;
    numbers[at] + (next - numbers[at]) * share
}

fn bounds(numbers: &[f64]) -> (f64, f64) {
    let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    (least, numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max))
}

/// Which row of dots, counted from the top, `number` is in.
fn level(number: f64, least: f64, most: f64) -> usize {
    let dots = HEIGHT * 4 - 1;
    let share = if most > least { (most - number) / (most - least) } else { 0.5 };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of 0 to 1 of a few dots"
    )]
    let level = (share * dots as f64).round() as usize;
    level.min(dots)
}

fn set_dot(canvas: &mut [Vec<u8>], x: usize, y: usize) {
    const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
    canvas[y / 4][x / 2] |= BITS[x % 2][y % 4];
}

/// How many numbers are in each of equal intervals.
fn histogram(points: &Points, width: usize) -> String {
    let numbers: Vec<f64> = points.points.iter().map(|(_, number)| *number).collect();
    let (least, most) = bounds(&numbers);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a small count"
    )]
    let bins = ((numbers.len() as f64).sqrt().ceil() as usize).clamp(1, BINS_MAX);
    let bins = if most > least { bins } else { 1 };
    #[expect(clippy::cast_precision_loss, reason = "a small count")]
    let step = (most - least) / bins as f64;
    let mut heights = vec![0_u32; bins];
    for number in &numbers {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the number of an interval"
        )]
        let bin = if step > 0.0 { ((number - least) / step) as usize } else { 0 };
        heights[bin.min(bins - 1)] += 1;
    }
    let labelled = heights.iter().enumerate().map(|(bin, height)| {
        #[expect(clippy::cast_precision_loss, reason = "a small count")]
        let from = least + step * bin as f64;
        let until = if bin + 1 == bins { most } else { from + step };
        (format!("{} – {}", number_text(from), number_text(until)), f64::from(*height))
    });
    let name = format!("rows by {}", points.name);
    bars(&Points { name, points: labelled.collect() }, width)
}

/// At most six digits, in groups when large.
fn number_text(number: f64) -> String {
    let size = number.abs();
    let text = match size {
        _ if size == 0.0 => "0".to_owned(),
        1e15.. => return format!("{number:.3e}"),
        1e4.. => format!("{number:.0}"),
        1e2.. => format!("{number:.1}"),
        1e-2.. => format!("{number:.3}"),
        _ => return format!("{number:.3e}"),
    };
    let text = match text.split_once('.') {
        Some(_) => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        None => text,
    };
    let mut cells = [text];
    crate::format::group_digits("", &mut cells);
    cells.concat()
}

fn append(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("writing to a String does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(numbers: &[f64]) -> Points {
        let points = numbers.iter().enumerate().map(|(at, n)| (format!("l{at}"), *n)).collect();
        Points { name: "n".to_owned(), points }
    }

    #[test]
    fn bars_are_as_long_as_their_numbers() {
        let text = bars(&points(&[2.0, 1.0, 0.5, -1.0, 0.0]), 24);
        assert_eq!(
            text,
            "n\n l0   2 ██████████████▌\n l1   1 ███████▎\n l2 0.5 ███▋\n l3  -1 ░░░░░░░░\n l4   0 \n"
                .replace("██████████████▌", &bar(1.0, 15, false))
                .replace("███████▎", &bar(0.5, 15, false))
                .replace("███▋", &bar(0.25, 15, false))
        );
        assert_eq!(bar(1.0, 4, false), "████");
        assert_eq!(bar(0.5, 5, false), "██▌");
    }

    #[test]
    fn a_line_goes_from_the_lower_left_to_the_upper_right() {
        let numbers: Vec<f64> = (0..100).map(f64::from).collect();
        let text = line(&points(&numbers), 40);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), HEIGHT + 2);
        assert!(lines[1].starts_with("99 ┤") && !lines[1].ends_with('\u{2800}'), "{text}");
        assert!(
            lines[HEIGHT].starts_with(" 0 ┤") && !lines[HEIGHT].contains("┤\u{2800}"),
            "{text}"
        );
        assert!(lines[HEIGHT + 1].contains("l0") && lines[HEIGHT + 1].ends_with("l99"), "{text}");
        assert!(lines.iter().all(|line| line.width() <= 40), "{text}");
    }

    #[test]
    fn one_number_and_equal_numbers_are_drawn_too() {
        for numbers in [&[5.0][..], &[5.0, 5.0, 5.0]] {
            assert_eq!(line(&points(numbers), 40).lines().count(), HEIGHT + 2);
            assert_eq!(histogram(&points(numbers), 40).lines().count(), 2);
        }
    }

    #[test]
    fn a_histogram_counts_every_number_once() {
        let numbers: Vec<f64> = (0..400).map(f64::from).collect();
        let text = histogram(&points(&numbers), 80);
        assert_eq!(text.lines().count(), 1 + BINS_MAX, "{text}");
        assert!(text.lines().skip(1).all(|line| line.contains(" 20 █")), "{text}");
    }

    #[test]
    fn numbers_are_short() {
        let texts = [0.0, 1.5, 1234.56, 1e6, 1e20, -0.001_23].map(number_text);
        assert_eq!(texts, ["0", "1.5", "1234.6", "1,000,000", "1.000e20", "-1.230e-3"]);
    }
}
