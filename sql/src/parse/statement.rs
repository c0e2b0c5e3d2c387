//! The statements around queries. sqlparser's own statement parser is not used: what we do not
//! support is refused here by its first word.

use martlet_engine::types::Error;
use sqlparser::ast::{DataType, Ident, OrderByExpr, Query};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use super::copy::{Copy, NamedFiles, parse_copy};
use super::position::start_of;
use super::refused::{refused, unknown_statement, upper};
use super::syntax_error::Failure;
use crate::suggest;

/// A name with its position.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) position: usize,
}

/// One statement.
#[derive(Clone, Debug)]
pub(crate) enum Statement {
    Query(Box<Query>),
    Explain { analyze: bool, query: Box<Query> },
    CreateTable(CreateTable),
    Insert(Insert),
    DropTable { name: Name, if_exists: bool },
    Describe(DescribeTarget),
    Summarize(DescribeTarget),
    Comment(Comment),
    ShowTables,
    Vacuum,
    Set { name: Name, value: String },
    Copy(Copy),
}

/// `CREATE TABLE`.
#[derive(Clone, Debug)]
pub(crate) struct CreateTable {
    pub(crate) name: Name,
    pub(crate) or_replace: bool,
    pub(crate) if_not_exists: bool,
    /// Empty when the source decides.
    pub(crate) columns: Vec<ColumnDefinition>,
    /// The keys of `ORDER BY (…)`.
    pub(crate) order_by: Vec<OrderByExpr>,
    pub(crate) source: Option<InsertSource>,
}

/// One column of a `CREATE TABLE`.
#[derive(Clone, Debug)]
pub(crate) struct ColumnDefinition {
    pub(crate) name: Name,
    pub(crate) data_type: DataType,
    pub(crate) type_position: usize,
    pub(crate) nullable: bool,
}

/// `INSERT INTO`.
#[derive(Clone, Debug)]
pub(crate) struct Insert {
    pub(crate) table: Name,
    /// Empty: all, in order.
    pub(crate) columns: Vec<Name>,
    pub(crate) source: InsertSource,
}

/// Where new rows come from.
#[derive(Clone, Debug)]
pub(crate) enum InsertSource {
    Query(Box<Query>),
    Files(NamedFiles),
}

/// `COMMENT ON`.
#[derive(Clone, Debug)]
pub(crate) struct Comment {
    pub(crate) table: Name,
    /// The column; the table itself without one.
    pub(crate) column: Option<Name>,
    /// `None` for NULL, which removes it.
    pub(crate) text: Option<String>,
}

/// What `DESCRIBE` describes, or `SUMMARIZE` summarizes.
#[derive(Clone, Debug)]
pub(crate) enum DescribeTarget {
    Table(Name),
    Query(Box<Query>),
    Files { paths: Vec<String>, position: usize },
}

pub(super) type Parsed<T> = Result<T, Failure>;

/// Parses everything up to the end.
pub(super) fn parse_all(parser: &mut Parser<'_>) -> Parsed<Vec<Statement>> {
    let mut statements = Vec::new();
    loop {
        while parser.consume_token(&Token::SemiColon) {}
        if parser.peek_token_ref().token == Token::EOF {
            return Ok(statements);
        }
        statements.push(parse_statement(parser)?);
        let next = parser.peek_token();
        if !matches!(next.token, Token::SemiColon | Token::EOF) {
            return Err(unexpected("end of statement", &next));
        }
    }
}

fn parse_statement(parser: &mut Parser<'_>) -> Parsed<Statement> {
    let first = parser.peek_token();
    let keyword = match &first.token {
        Token::Word(word) if word.quote_style.is_none() => word.keyword,
        Token::LParen => return Ok(Statement::Query(parser.parse_query()?)),
        _ => return Err(unknown_statement(&first).into()),
    };
    match keyword {
        Keyword::SELECT | Keyword::WITH | Keyword::FROM | Keyword::VALUES | Keyword::TABLE => {
            Ok(Statement::Query(parser.parse_query()?))
        }
        Keyword::EXPLAIN => parse_explain(parser),
        Keyword::CREATE => parse_create(parser),
        Keyword::INSERT => parse_insert(parser),
        Keyword::DROP => parse_drop(parser),
        Keyword::DESCRIBE | Keyword::DESC => Ok(Statement::Describe(parse_described(parser)?)),
        Keyword::COMMENT => parse_comment(parser),
        Keyword::SHOW => parse_show(parser),
        Keyword::VACUUM => {
            parser.advance_token();
            Ok(Statement::Vacuum)
        }
        Keyword::SET => parse_set(parser),
        Keyword::COPY => Ok(Statement::Copy(parse_copy(parser)?)),
        _ if is_summarize(&first) => Ok(Statement::Summarize(parse_described(parser)?)),
        _ => Err(unknown_statement(&first).into()),
    }
}

/// It is no keyword of sqlparser's.
fn is_summarize(token: &TokenWithSpan) -> bool {
    matches!(&token.token, Token::Word(word) if word.value.eq_ignore_ascii_case("SUMMARIZE"))
}

fn parse_explain(parser: &mut Parser<'_>) -> Parsed<Statement> {
    parser.advance_token();
    let analyze = parser.parse_keyword(Keyword::ANALYZE);
    if parser.peek_token_ref().token == Token::LParen
        && !matches!(&parser.peek_nth_token_ref(1).token, Token::Word(word)
            if matches!(word.keyword, Keyword::SELECT | Keyword::WITH | Keyword::FROM | Keyword::VALUES))
    {
        let option = parser.peek_nth_token(1);
        return Err(refused("options of EXPLAIN are not supported", &option)
            .with_hint("write EXPLAIN or EXPLAIN ANALYZE")
            .into());
    }
    if !begins_query(parser) {
        let next = parser.peek_token();
        if next.token == Token::EOF {
            return Err(unexpected("a query", &next));
        }
        let what = format!("EXPLAIN {} is not supported", upper(&next.token));
        let known = ["ANALYZE", "SELECT", "FROM", "WITH"];
        return Err(misspelt(refused(&what, &next), &next, &known)
            .with_hint("EXPLAIN takes a query")
            .into());
    }
    Ok(Statement::Explain { analyze, query: parser.parse_query()? })
}

fn begins_query(parser: &Parser<'_>) -> bool {
    match &parser.peek_token_ref().token {
        Token::LParen => true,
        Token::Word(word) => {
            word.quote_style.is_none()
                && matches!(
                    word.keyword,
                    Keyword::SELECT
                        | Keyword::WITH
                        | Keyword::FROM
                        | Keyword::VALUES
                        | Keyword::TABLE
                )
        }
        _ => false,
    }
}

fn parse_create(parser: &mut Parser<'_>) -> Parsed<Statement> {
    parser.advance_token();
    let or_replace = parser.parse_keywords(&[Keyword::OR, Keyword::REPLACE]);
    if !parser.parse_keyword(Keyword::TABLE) {
        let next = parser.peek_token();
        if next.token == Token::EOF {
            return Err(unexpected("TABLE", &next));
        }
        let what = format!("CREATE {} is not supported", upper(&next.token));
        return Err(misspelt(refused(&what, &next), &next, &["TABLE"])
            .with_hint("there is CREATE [OR REPLACE] TABLE")
            .into());
    }
    let if_not_exists = parser.parse_keywords(&[Keyword::IF, Keyword::NOT, Keyword::EXISTS]);
    let name = parse_name(parser, "table")?;
    let mut table = CreateTable {
        name,
        or_replace,
        if_not_exists,
        columns: Vec::new(),
        order_by: Vec::new(),
        source: None,
    };
    if parser.peek_token_ref().token == Token::LParen {
        table.columns = parse_column_definitions(parser)?;
    }
    if parser.parse_keywords(&[Keyword::ORDER, Keyword::BY]) {
        table.order_by = parse_table_order(parser)?;
    }
    table.source = parse_create_source(parser)?;
    let next = parser.peek_token();
    if table.source.is_none() && table.columns.is_empty() {
        return Err(unexpected("a column list, AS or FROM", &next));
    }
    if table.source.is_some() && !table.columns.is_empty() {
        return Err(Error::unsupported("CREATE TABLE takes a column list or a source, not both")
            .with_hint("create the table with its columns, then INSERT INTO it")
            .at(table.name.position)
            .into());
    }
    Ok(Statement::CreateTable(table))
}

fn parse_create_source(parser: &mut Parser<'_>) -> Parsed<Option<InsertSource>> {
    if parser.parse_keyword(Keyword::AS) {
        return Ok(Some(InsertSource::Query(parser.parse_query()?)));
    }
    if parser.peek_keyword(Keyword::FROM) {
        // `FROM x SELECT a` is a query as it stands.
        return Ok(Some(match parser.peek_nth_token(1).token {
            Token::Word(_) => InsertSource::Query(parser.parse_query()?),
            _ => parse_files(parser)?,
        }));
    }
    // `FROM x` has a SELECT before it that stands in the same place; one of one's own needs an AS.
    let (select, star) = (parser.peek_token(), parser.peek_nth_token(1));
    if parser.peek_keyword(Keyword::SELECT) && select.span == star.span {
        return Ok(Some(InsertSource::Query(parser.parse_query()?)));
    }
    Ok(None)
}

/// `FROM 'file'` or `FROM ('file', 'file')`, or else a FROM-first query.
fn parse_files(parser: &mut Parser<'_>) -> Parsed<InsertSource> {
    parser.expect_keyword(Keyword::FROM)?;
    let first = parser.peek_token();
    let position = start_of(first.span).unwrap_or(0);
    let paths = parse_paths(parser)?;
    Ok(InsertSource::Files(NamedFiles { paths, options: Vec::new(), position }))
}

pub(super) fn parse_paths(parser: &mut Parser<'_>) -> Parsed<Vec<String>> {
    if parser.consume_token(&Token::LParen) {
        let paths = parser.parse_comma_separated(parse_path)?;
        parser.expect_token(&Token::RParen)?;
        return Ok(paths);
    }
    Ok(vec![parse_path(parser)?])
}

#[expect(clippy::result_large_err, reason = "the signature that sqlparser's lists ask for")]
fn parse_path(parser: &mut Parser<'_>) -> Result<String, ParserError> {
    let next = parser.next_token();
    match next.token {
        Token::SingleQuotedString(path) => Ok(path),
        _ => parser.expected("a file name in quotes", next),
    }
}

fn parse_table_order(parser: &mut Parser<'_>) -> Parsed<Vec<OrderByExpr>> {
    let parenthesised = parser.consume_token(&Token::LParen);
    let keys = parser.parse_comma_separated(Parser::parse_order_by_expr)?;
    if parenthesised {
        parser.expect_token(&Token::RParen)?;
    }
    Ok(keys)
}

fn parse_column_definitions(parser: &mut Parser<'_>) -> Parsed<Vec<ColumnDefinition>> {
    parser.expect_token(&Token::LParen)?;
    let mut columns = Vec::new();
    loop {
        if parser.consume_token(&Token::RParen) && !columns.is_empty() {
            return Ok(columns);
        }
        columns.push(parse_column_definition(parser)?);
        if !parser.consume_token(&Token::Comma) {
            parser.expect_token(&Token::RParen)?;
            return Ok(columns);
        }
    }
}

fn parse_column_definition(parser: &mut Parser<'_>) -> Parsed<ColumnDefinition> {
    let next = parser.peek_token();
    if let Token::Word(word) = &next.token {
        let table_constraint = matches!(
            word.keyword,
            Keyword::PRIMARY
                | Keyword::UNIQUE
                | Keyword::FOREIGN
                | Keyword::CHECK
                | Keyword::CONSTRAINT
        );
        if table_constraint && word.quote_style.is_none() {
            return Err(constraint_refused(&next).into());
        }
    }
    let name = ident_name(parser.parse_identifier()?);
    let type_position = start_of(parser.peek_token_ref().span).unwrap_or(name.position);
    let data_type = parser.parse_data_type()?;
    let mut nullable = true;
    loop {
        if parser.parse_keywords(&[Keyword::NOT, Keyword::NULL]) {
            nullable = false;
        } else if !parser.parse_keyword(Keyword::NULL) {
            break;
        }
    }
    let next = parser.peek_token();
    match &next.token {
        Token::Comma | Token::RParen => {
            Ok(ColumnDefinition { name, data_type, type_position, nullable })
        }
        Token::Word(_) => Err(constraint_refused(&next).into()),
        _ => Err(unexpected("',' or ')'", &next)),
    }
}

fn constraint_refused(token: &TokenWithSpan) -> Error {
    let what = format!("{} is not supported in CREATE TABLE", upper(&token.token));
    refused(&what, token).with_hint("a column takes a type and NULL or NOT NULL")
}

fn parse_insert(parser: &mut Parser<'_>) -> Parsed<Statement> {
    parser.advance_token();
    let next = parser.peek_token();
    if !parser.parse_keyword(Keyword::INTO) {
        return Err(unexpected("INTO", &next));
    }
    let table = parse_name(parser, "table")?;
    let mut columns = Vec::new();
    let next_word = parser.peek_nth_token(1);
    let is_query = matches!(&next_word.token, Token::Word(word) if word.quote_style.is_none()
        && matches!(word.keyword, Keyword::SELECT | Keyword::WITH | Keyword::FROM | Keyword::VALUES));
    if parser.peek_token_ref().token == Token::LParen && !is_query {
        parser.advance_token();
        columns = parser
            .parse_comma_separated(Parser::parse_identifier)?
            .into_iter()
            .map(ident_name)
            .collect();
        parser.expect_token(&Token::RParen)?;
    }
    let source = parse_insert_source(parser)?;
    let next = parser.peek_token();
    if let Token::Word(word) = &next.token
        && matches!(word.keyword, Keyword::ON | Keyword::RETURNING)
    {
        let what = format!("{} is not supported in INSERT", upper(&next.token));
        return Err(refused(&what, &next).into());
    }
    Ok(Statement::Insert(Insert { table, columns, source }))
}

fn parse_insert_source(parser: &mut Parser<'_>) -> Parsed<InsertSource> {
    let (first, second) = (parser.peek_token(), parser.peek_nth_token(1));
    let Token::Word(word) = &first.token else {
        return Ok(InsertSource::Query(parser.parse_query()?));
    };
    match word.keyword {
        Keyword::FROM if matches!(second.token, Token::SingleQuotedString(_) | Token::LParen) => {
            parse_files(parser)
        }
        Keyword::DEFAULT => Err(refused("DEFAULT VALUES is not supported", &first).into()),
        Keyword::SELECT | Keyword::WITH | Keyword::VALUES | Keyword::FROM | Keyword::TABLE => {
            Ok(InsertSource::Query(parser.parse_query()?))
        }
        _ => Err(unexpected("VALUES, SELECT or FROM", &first)),
    }
}

fn parse_drop(parser: &mut Parser<'_>) -> Parsed<Statement> {
    parser.advance_token();
    let next = parser.peek_token();
    if !parser.parse_keyword(Keyword::TABLE) {
        if matches!(next.token, Token::EOF | Token::SemiColon) {
            return Err(unexpected("TABLE", &next));
        }
        let what = format!("DROP {} is not supported", upper(&next.token));
        return Err(misspelt(refused(&what, &next), &next, &["TABLE"])
            .with_hint("there is DROP TABLE [IF EXISTS]")
            .into());
    }
    let if_exists = parser.parse_keywords(&[Keyword::IF, Keyword::EXISTS]);
    let name = parse_name(parser, "table")?;
    let next = parser.peek_token();
    if let Token::Word(_) | Token::Comma = &next.token {
        let what = format!("{} is not supported in DROP TABLE", upper(&next.token));
        return Err(refused(&what, &next).with_hint("drop one table a statement").into());
    }
    Ok(Statement::DropTable { name, if_exists })
}

/// What stands behind DESCRIBE or SUMMARIZE.
fn parse_described(parser: &mut Parser<'_>) -> Parsed<DescribeTarget> {
    parser.advance_token();
    if is_all_of_a_file(parser) {
        // As the path alone, so that columns which cannot be read are told too.
        (0..3).for_each(|_| parser.advance_token());
    }
    let next = parser.peek_token();
    let target = match &next.token {
        Token::SingleQuotedString(path) => {
            let files = DescribeTarget::Files {
                paths: vec![path.clone()],
                position: start_of(next.span).unwrap_or(0),
            };
            parser.advance_token();
            files
        }
        Token::LParen => DescribeTarget::Query(parser.parse_query()?),
        Token::Word(word) if word.quote_style.is_none() => match word.keyword {
            Keyword::SELECT | Keyword::WITH | Keyword::FROM | Keyword::VALUES => {
                DescribeTarget::Query(parser.parse_query()?)
            }
            Keyword::TABLE => {
                parser.advance_token();
                DescribeTarget::Table(parse_name(parser, "table")?)
            }
            _ => DescribeTarget::Table(parse_name(parser, "table")?),
        },
        _ => DescribeTarget::Table(parse_name(parser, "table")?),
    };
    Ok(target)
}

/// Whether `SELECT * FROM 'file'` follows, and nothing behind it.
fn is_all_of_a_file(parser: &Parser<'_>) -> bool {
    let [select, star, from, path, end] = std::array::from_fn(|ahead| parser.peek_nth_token(ahead));
    let is = |token: &Token, keyword| matches!(token, Token::Word(word) if word.keyword == keyword);
    is(&select.token, Keyword::SELECT)
        && star.token == Token::Mul
        && is(&from.token, Keyword::FROM)
        && matches!(path.token, Token::SingleQuotedString(_))
        && matches!(end.token, Token::EOF | Token::SemiColon)
}

/// `COMMENT ON TABLE t IS '…'`, `COMMENT ON COLUMN t.c IS '…'`.
fn parse_comment(parser: &mut Parser<'_>) -> Parsed<Statement> {
    parser.advance_token();
    parser.expect_keyword(Keyword::ON)?;
    let what = parser.peek_token();
    let is_column = parser.parse_keyword(Keyword::COLUMN);
    if !is_column && !parser.parse_keyword(Keyword::TABLE) {
        return Err(unexpected("TABLE or COLUMN", &what));
    }
    let (table, column) = if is_column {
        let table = ident_name(parser.parse_identifier()?);
        let next = parser.peek_token();
        if !parser.consume_token(&Token::Period) {
            return Err(unexpected("'.' and the column's name", &next));
        }
        (table, Some(ident_name(parser.parse_identifier()?)))
    } else {
        (parse_name(parser, "table")?, None)
    };
    parser.expect_keyword(Keyword::IS)?;
    let next = parser.next_token();
    let text = match next.token {
        Token::SingleQuotedString(text) => Some(text),
        Token::DollarQuotedString(quoted) => Some(quoted.value),
        Token::Word(ref word) if word.keyword == Keyword::NULL => None,
        _ => return Err(unexpected("a text or NULL", &next)),
    };
    Ok(Statement::Comment(Comment { table, column, text }))
}

fn parse_show(parser: &mut Parser<'_>) -> Parsed<Statement> {
    parser.advance_token();
    let next = parser.peek_token();
    if parser.parse_keyword(Keyword::TABLES) {
        return Ok(Statement::ShowTables);
    }
    if next.token == Token::EOF {
        return Err(unexpected("TABLES", &next));
    }
    let what = format!("SHOW {} is not supported", upper(&next.token));
    Err(misspelt(refused(&what, &next), &next, &["TABLES"])
        .with_hint("there are SHOW TABLES and DESCRIBE table")
        .into())
}

fn parse_set(parser: &mut Parser<'_>) -> Parsed<Statement> {
    parser.advance_token();
    let name = if parser.parse_keywords(&[Keyword::TIME, Keyword::ZONE]) {
        let position = start_of(parser.get_current_token().span).unwrap_or(0);
        Name { text: "timezone".to_owned(), position }
    } else {
        let name = ident_name(parser.parse_identifier()?);
        if !parser.consume_token(&Token::Eq) {
            let next = parser.peek_token();
            if !parser.parse_keyword(Keyword::TO) {
                return Err(unexpected("= or TO", &next));
            }
        }
        name
    };
    let next = parser.next_token();
    let value = match next.token {
        Token::SingleQuotedString(value) | Token::Number(value, _) => value,
        Token::Word(word) => word.value,
        _ => return Err(unexpected("a value", &next)),
    };
    Ok(Statement::Set { name, value })
}

/// `error` with those of `known` that `token` nearly is.
fn misspelt(error: Error, token: &TokenWithSpan, known: &[&str]) -> Error {
    let near = suggest::nearest(&upper(&token.token), known.iter().copied());
    if near.is_empty() { error } else { error.with_suggestions(near) }
}

/// A table's name; schemas are refused.
pub(super) fn parse_name(parser: &mut Parser<'_>, what: &str) -> Parsed<Name> {
    let next = parser.peek_token();
    if matches!(next.token, Token::SingleQuotedString(_)) {
        let message = format!("expected a {what} name, found a text");
        return Err(Error::syntax(message)
            .with_hint("names are quoted with \"\", texts with ''")
            .at(start_of(next.span).unwrap_or(0))
            .into());
    }
    let name = ident_name(parser.parse_identifier()?);
    if parser.peek_token_ref().token == Token::Period {
        return Err(refused("schemas are not supported", &parser.peek_token())
            .with_hint("a table has one name; quote it if it contains a dot")
            .into());
    }
    Ok(name)
}

/// An identifier as a name.
pub(crate) fn ident_name(ident: Ident) -> Name {
    let position = start_of(ident.span).unwrap_or(0);
    Name { text: ident.value, position }
}

/// `expected … found …`, to be explained like sqlparser's own.
pub(super) fn unexpected(expected: &str, found: &TokenWithSpan) -> Failure {
    let place = found.span.start;
    ParserError::ParserError(format!("Expected: {expected}, found: {}{place}", found.token)).into()
}
