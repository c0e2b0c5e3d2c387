//! `COPY table FROM 'file' (options)` and `COPY table TO 'file' (options)`, as PostgreSQL and `DuckDB`
//! write them.

use sqlparser::ast::{Expr, Ident, Query};
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::position::start_of;
use super::statement::{Name, Parsed, ident_name, parse_name, parse_paths, unexpected};

/// Files with what is said of them.
#[derive(Clone, Debug)]
pub(crate) struct NamedFiles {
    pub(crate) paths: Vec<String>,
    pub(crate) options: Vec<FileOption>,
    pub(crate) position: usize,
}

/// An option; without a value it is on.
#[derive(Clone, Debug)]
pub(crate) struct FileOption {
    pub(crate) name: Ident,
    pub(crate) value: Option<Expr>,
}

/// A `COPY`.
#[derive(Clone, Debug)]
pub(crate) enum Copy {
    /// Rows of files into a table.
    From {
        table: Name,
        /// Empty: all, in order.
        columns: Vec<Name>,
        files: NamedFiles,
    },
    /// Rows into files.
    To { rows: CopiedRows, files: NamedFiles },
}

/// What is written.
#[derive(Clone, Debug)]
pub(crate) enum CopiedRows {
    Table { name: Name, columns: Vec<Name> },
    Query(Box<Query>),
}

/// Parses what comes behind `COPY`.
pub(super) fn parse_copy(parser: &mut Parser<'_>) -> Parsed<Copy> {
    parser.advance_token();
    if parser.consume_token(&Token::LParen) {
        let query = parser.parse_query()?;
        parser.expect_token(&Token::RParen)?;
        parser.expect_keyword(Keyword::TO)?;
        return Ok(Copy::To { rows: CopiedRows::Query(query), files: parse_target(parser)? });
    }
    let table = parse_name(parser, "table")?;
    let columns = if parser.consume_token(&Token::LParen) {
        let columns = parser.parse_comma_separated(Parser::parse_identifier)?;
        parser.expect_token(&Token::RParen)?;
        columns.into_iter().map(ident_name).collect()
    } else {
        Vec::new()
    };
    if parser.parse_keyword(Keyword::TO) {
        let files = parse_target(parser)?;
        return Ok(Copy::To { rows: CopiedRows::Table { name: table, columns }, files });
    }
    let next = parser.peek_token();
    if !parser.parse_keyword(Keyword::FROM) {
        return Err(unexpected("FROM or TO", &next));
    }
    let position = start_of(parser.peek_token_ref().span).unwrap_or(0);
    let paths = parse_paths(parser)?;
    let options = parse_options(parser)?;
    Ok(Copy::From { table, columns, files: NamedFiles { paths, options, position } })
}

fn parse_target(parser: &mut Parser<'_>) -> Parsed<NamedFiles> {
    let next = parser.next_token();
    let position = start_of(next.span).unwrap_or(0);
    let Token::SingleQuotedString(path) = next.token else {
        return Err(unexpected("a file name in quotes", &next));
    };
    Ok(NamedFiles { paths: vec![path], options: parse_options(parser)?, position })
}

/// `[WITH] (name [value], …)`
fn parse_options(parser: &mut Parser<'_>) -> Parsed<Vec<FileOption>> {
    let has_with = parser.parse_keyword(Keyword::WITH);
    let next = parser.peek_token();
    if !parser.consume_token(&Token::LParen) {
        if has_with || matches!(next.token, Token::Word(_)) {
            return Err(unexpected("options in parentheses", &next));
        }
        return Ok(Vec::new());
    }
    let mut options = Vec::new();
    while !parser.consume_token(&Token::RParen) {
        let next = parser.next_token();
        let Token::Word(word) = &next.token else {
            return Err(unexpected("the name of an option", &next));
        };
        let name =
            Ident { value: word.value.clone(), quote_style: word.quote_style, span: next.span };
        let _sign = parser.consume_token(&Token::Eq) || parser.consume_token(&Token::RArrow);
        let is_bare = matches!(parser.peek_token_ref().token, Token::Comma | Token::RParen);
        let value = if is_bare { None } else { Some(parser.parse_expr()?) };
        options.push(FileOption { name, value });
        let next = parser.peek_token();
        if !parser.consume_token(&Token::Comma) && next.token != Token::RParen {
            return Err(unexpected("',' or ')'", &next));
        }
    }
    Ok(options)
}
