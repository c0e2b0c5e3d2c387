//! SQL in colours while it is typed.

use std::collections::BTreeSet;

use reedline::{Color, Highlighter, StyledText};

use crate::sql_text::{Kind, tokens};

/// The style that the editor draws with.
pub(super) type NuStyle = nu_ansi_term::Style;

/// Colours keywords, functions, texts, numbers, comments and commands.
pub(super) struct SqlHighlighter {
    keywords: BTreeSet<&'static str>,
    functions: BTreeSet<&'static str>,
}

impl SqlHighlighter {
    pub(super) fn new() -> SqlHighlighter {
        let statements = martlet::words::STATEMENTS.iter();
        let words = statements.chain(martlet::words::KEYWORDS).flat_map(|words| words.split(' '));
        let others = ["TABLES", "BY", "NULLS", "ON", "COLUMN", "TABLE", "IS", "TO", "USING"];
        SqlHighlighter {
            keywords: words.chain(others).collect(),
            functions: martlet::words::functions().into_iter().collect(),
        }
    }

    fn style(&self, kind: Kind, text: &str, is_called: bool) -> NuStyle {
        match kind {
            Kind::Text => Color::Green.normal(),
            Kind::Number => Color::Magenta.normal(),
            Kind::Comment => Color::DarkGray.normal(),
            Kind::Word if is_called && self.functions.contains(text.to_lowercase().as_str()) => {
                Color::Cyan.normal()
            }
            Kind::Word if self.keywords.contains(text.to_uppercase().as_str()) => {
                Color::Blue.bold()
            }
            Kind::Word | Kind::QuotedName | Kind::Symbol => NuStyle::new(),
        }
    }
}

impl Highlighter for SqlHighlighter {
    fn highlight(&self, text: &str, _cursor: usize) -> StyledText {
        let mut styled = StyledText::new();
        if text.trim_start().starts_with(['.', '\\']) {
            styled.push((Color::Yellow.normal(), text.to_owned()));
            return styled;
        }
        let mut end = 0;
        for token in tokens(text) {
            if token.range.start > end {
                styled.push((NuStyle::new(), text[end..token.range.start].to_owned()));
            }
            let is_called = text[token.range.end..].trim_start().starts_with('(');
            let word = token.of(text);
            styled.push((self.style(token.kind, word, is_called), word.to_owned()));
            end = token.range.end;
        }
        styled.push((NuStyle::new(), text[end..].to_owned()));
        styled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_lose_no_character() {
        let highlighter = SqlHighlighter::new();
        for text in [
            "SELECT count(*) FROM \"a b\" -- ö\nWHERE x = 'y;",
            ".mode csv ",
            "",
            " é'",
            "SELECT 1 ",
        ] {
            assert_eq!(highlighter.highlight(text, 0).raw_string(), text);
        }
    }
}
