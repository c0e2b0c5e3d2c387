//! A comparison as a chart: a line of dots per query, time on a logarithmic axis.

use std::fmt::Write;

use super::report::CompareReport;
use crate::suite::figures::QueryFigures;

const LEFT: f64 = 90.0;
const WIDTH: f64 = 760.0;
const TOP: f64 = 64.0;
const LINE: f64 = 18.0;
/// Martlet's, then the peers' in their order.
const COLORS: [&str; 6] = ["#c2410c", "#ca8a04", "#7c3aed", "#0369a1", "#15803d", "#64748b"];
const WON: &str = "#15803d";
const LOST: &str = "#b91c1c";

/// The chart as SVG.
pub(crate) fn render(report: &CompareReport) -> String {
    let axis = Axis::of(report);
    let query_count = report.martlet.queries.len();
    let bottom = (0..query_count).fold(TOP, |y, _| y + LINE);
    let (width, height) = (LEFT + WIDTH + 30.0, bottom + 34.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"{LEFT}\" y=\"20\" font-size=\"14\">{}: {} rows, {} threads, medians of warm runs</text>\n",
        escape(&report.suite),
        report.rows,
        report.threads
    );
    legend(&mut svg, report);
    axis.draw(&mut svg, bottom);
    let mut y = TOP + LINE / 2.0;
    for query_idx in 0..query_count {
        query_line(&mut svg, report, query_idx, (&axis, y));
        y += LINE;
    }
    svg.push_str("</svg>\n");
    svg
}

/// Seconds to places, by decades.
struct Axis {
    first_decade: i32,
    last_decade: i32,
}

impl Axis {
    /// From the fastest to the slowest run of any engine.
    fn of(report: &CompareReport) -> Axis {
        let queries = report.engines().flat_map(|engine| &engine.queries);
        let medians: Vec<f64> = queries.filter_map(QueryFigures::median).collect();
        let least = medians.iter().copied().fold(1e-3, f64::min).max(1e-6);
        let most = medians.iter().copied().fold(1e-3, f64::max).max(1e-5);
        Axis {
            first_decade: decade(least.log10().floor()),
            last_decade: decade(most.log10().ceil()),
        }
    }

    fn x(&self, seconds: f64) -> f64 {
        let decades = f64::from(self.last_decade - self.first_decade).max(1.0);
        let at = (seconds.max(1e-9).log10() - f64::from(self.first_decade)) / decades;
        LEFT + WIDTH * at.clamp(0.0, 1.0)
    }

    fn draw(&self, svg: &mut String, bottom: f64) {
        for decade in self.first_decade..=self.last_decade {
            let seconds = 10_f64.powi(decade);
            let x = self.x(seconds);
            let _infallible = writeln!(
                svg,
                "<line x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom}\" stroke=\"#e2e8f0\"/>\
                 <text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{} ms</text>",
                bottom + 16.0,
                seconds * 1e3
            );
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "between -6 and a few")]
fn decade(exponent: f64) -> i32 {
    exponent as i32
}

fn legend(svg: &mut String, report: &CompareReport) {
    let mut x = LEFT;
    for (engine, color) in report.engines().zip(COLORS.iter().cycle()) {
        let _infallible = writeln!(
            svg,
            "<circle cx=\"{x}\" cy=\"40\" r=\"5\" fill=\"{color}\"/><text x=\"{}\" y=\"44\">{}</text>",
            x + 9.0,
            escape(&engine.name)
        );
        x += 110.0;
    }
}

/// The dots of one query, and a bar between Martlet and the envelope: green where it is won.
fn query_line(svg: &mut String, report: &CompareReport, query_idx: usize, place: (&Axis, f64)) {
    let (axis, y) = place;
    let query = &report.martlet.queries[query_idx];
    let _infallible = writeln!(
        svg,
        "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}{}</text>",
        LEFT - 10.0,
        y + 4.0,
        escape(&query.query),
        if query.statistics { " *" } else { "" }
    );
    if let (Some(best), Some(ours)) = (report.envelope(query_idx), query.median()) {
        let color = if report.is_won(query_idx) == Some(true) { WON } else { LOST };
        let _infallible = writeln!(
            svg,
            "<line x1=\"{:.1}\" y1=\"{y}\" x2=\"{:.1}\" y2=\"{y}\" stroke=\"{color}\" stroke-width=\"3\" stroke-opacity=\"0.4\"/>",
            axis.x(ours),
            axis.x(best.seconds)
        );
    }
    let engines: Vec<_> = report.engines().zip(COLORS.iter().cycle()).enumerate().collect();
    // Martlet last, on top.
    for (index, (engine, color)) in engines.into_iter().rev() {
        if let Some(median) = engine.queries[query_idx].median() {
            let radius = if index == 0 { 5 } else { 3 };
            let x = axis.x(median);
            let _infallible = writeln!(
                svg,
                "<circle cx=\"{x:.1}\" cy=\"{y}\" r=\"{radius}\" fill=\"{color}\"><title>{} {:.3} ms</title></circle>",
                escape(&engine.name),
                median * 1e3
            );
        }
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::sample;
    use super::*;

    #[test]
    fn every_median_is_a_dot_and_every_query_a_label() {
        let svg = render(&sample());
        // Three engines with three queries each, one of which failed; three dots in the legend.
        assert_eq!(svg.matches("<circle").count(), 3 * 3 - 1 + 3);
        assert_eq!(svg.matches("<title>").count(), 8);
        assert!(
            svg.contains(">3 *</text>") && svg.contains("<title>fast 20.000 ms</title>"),
            "{svg}"
        );
        assert_eq!((svg.matches(WON).count() >= 2, svg.matches(LOST).count()), (true, 1));
    }

    #[test]
    fn tags_are_closed_and_names_escaped() {
        let mut report = sample();
        report.peers[0].name = "a<b&\"c".into();
        let svg = render(&report);
        assert!(svg.contains("a&lt;b&amp;&quot;c") && !svg.contains("a<b"), "{svg}");
        for tag in ["svg", "text", "title"] {
            let count = |start: &str| svg.matches(&format!("{start}{tag}")).count();
            assert_eq!(count("<"), count("</"), "{tag}");
        }
        assert!(svg.trim_end().ends_with("</svg>"));
    }

    #[test]
    fn slower_is_further_right() {
        let axis = Axis::of(&sample());
        assert!(axis.x(0.001) < axis.x(0.01) && axis.x(0.01) < axis.x(0.1));
        assert!((axis.x(1e-12) - LEFT).abs() < 1e-9);
    }
}
