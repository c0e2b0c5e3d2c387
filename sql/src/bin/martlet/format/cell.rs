//! A value on one line of a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// `text` on one line, in at most `width_max` columns.
pub(crate) fn fitted(text: &str, width_max: usize) -> String {
    // A character is a byte or more and has at most two columns: no need to look at all of a blob.
    let mut line: String = text.chars().take(width_max * 2 + 2).map(printable).collect();
    if line.width() <= width_max {
        return line;
    }
    let mut width = 0;
    let end = line
        .char_indices()
        .find(|(_, c)| {
            width += c.width().unwrap_or(0);
            width >= width_max
        })
        .map_or(line.len(), |(at, _)| at);
    line.truncate(end);
    line.push('…');
    line
}

/// Line breaks and tabs are drawn; other control characters would command the terminal.
fn printable(c: char) -> char {
    match c {
        '\n' => '↵',
        '\r' => '␍',
        '\t' => ' ',
        c if c.is_control() => '\u{fffd}',
        // Marks that change the direction of what follows.
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c => c,
    }
}
