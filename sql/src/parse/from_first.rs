//! `FROM t WHERE …` without a SELECT: sqlparser reads no clause behind such a FROM, so that
//! `SELECT *` is put before it.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

/// `tokens` with `SELECT *` before every FROM that begins a query which has no SELECT of its own.
pub(super) fn with_select(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let mut output = Vec::with_capacity(tokens.len() + 2);
    for (index, token) in tokens.iter().enumerate() {
        let is_from = keyword(&token.token) == Some(Keyword::FROM);
        if is_from && begins_query(tokens, index) && !has_select(&tokens[index + 1..]) {
            output.push(TokenWithSpan::new(word("SELECT", Keyword::SELECT), token.span));
            output.push(TokenWithSpan::new(Token::Mul, token.span));
        }
        output.push(token.clone());
    }
    output
}

fn begins_query(tokens: &[TokenWithSpan], index: usize) -> bool {
    let before = |distance: usize| Some(&tokens.get(index.checked_sub(distance)?)?.token);
    match before(1) {
        None | Some(Token::SemiColon) => true,
        // `trim(FROM x)` is no query.
        Some(Token::LParen) => before(2).and_then(keyword) != Some(Keyword::TRIM),
        // `INSERT INTO t FROM x`, `CREATE TABLE t FROM x`; that of a path is their own.
        Some(_) if names_a_source(tokens, index) => {
            matches!(tokens.get(index + 1), Some(next) if matches!(next.token, Token::Word(_)))
        }
        Some(token) => {
            is_summarize(token)
                || matches!(
                    keyword(token),
                    Some(Keyword::AS | Keyword::EXPLAIN | Keyword::ANALYZE | Keyword::DESCRIBE)
                )
        }
    }
}

/// Whether the FROM at `index` follows the name, and perhaps the columns, of a table that is filled.
fn names_a_source(tokens: &[TokenWithSpan], index: usize) -> bool {
    let end_before = tokens[..index].iter().rposition(|token| token.token == Token::SemiColon);
    let before = &tokens[end_before.map_or(0, |end| end + 1)..index];
    let mut keywords = before.iter().filter_map(|token| keyword(&token.token));
    let count = |wanted: &Token| before.iter().filter(|token| token.token == *wanted).count();
    matches!(keywords.next(), Some(Keyword::INSERT | Keyword::CREATE))
        && count(&Token::LParen) == count(&Token::RParen)
        && !keywords.any(|word| {
            use Keyword::{AS, FROM, SELECT, VALUES, WITH};
            matches!(word, AS | FROM | SELECT | VALUES | WITH)
        })
}

/// Whether a SELECT comes before the query that `rest` begins in ends.
fn has_select(rest: &[TokenWithSpan]) -> bool {
    let mut depth = 0_usize;
    for token in rest {
        match &token.token {
            Token::LParen => depth += 1,
            Token::RParen if depth == 0 => return false,
            Token::RParen => depth -= 1,
            Token::SemiColon => return false,
            other if depth == 0 && keyword(other) == Some(Keyword::SELECT) => return true,
            _ => {}
        }
    }
    false
}

fn is_summarize(token: &Token) -> bool {
    matches!(token, Token::Word(word) if word.value.eq_ignore_ascii_case("SUMMARIZE"))
}

fn keyword(token: &Token) -> Option<Keyword> {
    match token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.keyword),
        _ => None,
    }
}

fn word(value: &str, keyword: Keyword) -> Token {
    Token::Word(Word { value: value.to_owned(), quote_style: None, keyword })
}
