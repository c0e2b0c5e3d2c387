//! SQL text to statements: sqlparser for queries and expressions, our own few lines for statements.
//!
//! Every position in the trees is a byte offset (see `position`). Must not know catalogs or types.

mod copy;
mod dialect;
mod from_first;
pub(crate) mod position;
mod refused;
mod statement;
mod syntax_error;

pub(crate) use self::statement::{
    ColumnDefinition, Comment, CreateTable, DescribeTarget, Insert, InsertSource, Name, Statement,
};

use martlet_engine::types::Result;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Whitespace};

pub(crate) use self::copy::{CopiedRows, Copy, FileOption, NamedFiles};
pub(crate) use self::dialect::MartletDialect;
pub(crate) use self::syntax_error::is_operand;

/// How deep parentheses, subqueries and function calls may be nested.
const NESTING_MAX: usize = 64;

/// The statements of one text.
#[derive(Debug)]
pub(crate) struct Script {
    /// In order; empty statements are left out.
    pub(crate) statements: Vec<Statement>,
    /// All tokens but white space, for the positions of clauses that the tree does not keep.
    pub(crate) tokens: Vec<TokenWithSpan>,
}

/// Splits and parses `sql`.
pub(crate) fn parse(sql: &str) -> Result<Script> {
    let tokens = tokenize(sql)?;
    let rewritten = from_first::with_select(&tokens);
    let mut parser = Parser::new(&MartletDialect)
        .with_recursion_limit(NESTING_MAX)
        .with_tokens_with_locations(rewritten);
    let statements = statement::parse_all(&mut parser)
        .map_err(|failure| syntax_error::explain(failure, sql, &tokens))?;
    Ok(Script { statements, tokens })
}

fn tokenize(sql: &str) -> Result<Vec<TokenWithSpan>> {
    // A byte order mark, as some editors write it, is no part of the text.
    let blanked;
    let sql = match sql.strip_prefix('\u{feff}') {
        Some(rest) => {
            blanked = format!("   {rest}");
            &blanked
        }
        None => sql,
    };
    let mut tokens = Tokenizer::new(&MartletDialect, sql)
        .tokenize_with_location()
        .map_err(|error| syntax_error::from_tokenizer(&error, sql))?;
    position::use_byte_offsets(sql, &mut tokens);
    Ok(without_blanks(tokens))
}

/// The tokens but white space; texts with a line break between them are one, as SQL has it.
fn without_blanks(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut kept: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut breaks_line = false;
    for token in tokens {
        match (token.token, kept.last_mut().map(|last| &mut last.token)) {
            (Token::Whitespace(Whitespace::Newline | Whitespace::SingleLineComment { .. }), _) => {
                breaks_line = true;
                continue;
            }
            (Token::Whitespace(_), _) => continue,
            (Token::SingleQuotedString(text), Some(Token::SingleQuotedString(before)))
                if breaks_line =>
            {
                before.push_str(&text);
            }
            (other, _) => kept.push(TokenWithSpan { token: other, span: token.span }),
        }
        breaks_line = false;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_knows_its_bytes() -> Result<()> {
        let sql = "SELECT 'ä\nö' AS \"é x\" ,\n\t1.5\r\n FROM t";
        let starts: Vec<usize> = tokenize(sql)?
            .iter()
            .map(|token| position::start_of(token.span).expect("tokens have spans"))
            .collect();
        let expected = ["SELECT", "'ä", "AS", "\"é", ",", "1.5", "FROM", "t"];
        let found: Vec<bool> = starts
            .iter()
            .zip(expected)
            .map(|(start, word)| sql[*start..].starts_with(word))
            .collect();
        assert_eq!(found, [true; 8], "{starts:?}");
        Ok(())
    }

    #[test]
    fn a_byte_order_mark_is_skipped() -> Result<()> {
        let tokens = tokenize("\u{feff}SELECT 1")?;
        let starts: Vec<_> = tokens.iter().map(|token| position::start_of(token.span)).collect();
        assert_eq!(starts, [Some(3), Some(10)]);
        Ok(())
    }

    #[test]
    fn statements_are_split_and_empty_ones_left_out() -> Result<()> {
        assert_eq!(parse(";; SELECT 1; SELECT ';' ;")?.statements.len(), 2);
        assert_eq!(parse("-- nothing\n")?.statements.len(), 0);
        Ok(())
    }

    #[test]
    fn deep_parentheses_are_refused_without_overflowing() {
        let sql = format!("SELECT {}1{}", "(".repeat(50_000), ")".repeat(50_000));
        let error = parse(&sql).expect_err("too deep");
        assert!(error.message().contains("nested"), "{error}");
    }
}
