//! LIKE and regular expressions.

use super::*;
use crate::plan::LikePattern;
use Function::{RegexpExtract, RegexpMatches, RegexpReplace};

fn like(input: Expr, pattern: &str) -> Expr {
    let pattern =
        LikePattern { pattern: pattern.into(), escape: Some('\\'), case_insensitive: false };
    Expr::Like { input: Box::new(input), pattern }
}

#[test]
fn like_of_null_is_null() {
    same("null::text like 'a'", like(null(DataType::Utf8), "a"), "NULL");
    same("'google.com' like '%google%'", like(text("google.com"), "%google%"), "true");
    same(
        "not ('google.com' like '%google%')",
        Expr::Not(Box::new(like(text("google.com"), "%google%"))),
        "false",
    );
}

#[test]
fn regexp_replace_takes_groups_and_flags() {
    let replace = |text_value: &str, pattern: &str, replacement: &str, flags: &str| {
        call(RegexpReplace, [text(text_value), text(pattern), text(replacement), text(flags)])
    };
    let url = "^https?://(?:www\\.)?([^/]+)/.*$";
    same(
        "regexp_replace('https://www.example.com/a/b', '^https?://(?:www\\.)?([^/]+)/.*$', '\\1', '')",
        replace("https://www.example.com/a/b", url, "\\1", ""),
        "example.com",
    );
    same(
        "regexp_replace('nothing here', '^https?://(?:www\\.)?([^/]+)/.*$', '\\1', '')",
        replace("nothing here", url, "\\1", ""),
        "nothing here",
    );
    same(
        "regexp_replace('http://a/' || chr(10) || 'b', '^https?://(?:www\\.)?([^/]+)/.*$', '\\1', '')",
        replace("http://a/\nb", url, "\\1", ""),
        "a",
    );
    same("regexp_replace('abcabc', 'b', 'X', '')", replace("abcabc", "b", "X", ""), "aXcabc");
    same("regexp_replace('abcabc', 'b', 'X', 'g')", replace("abcabc", "b", "X", "g"), "aXcaXc");
    same("regexp_replace('aBc', 'b', 'X', 'i')", replace("aBc", "b", "X", "i"), "aXc");
    same(
        "regexp_replace('abc', '(b)(c)', '[\\2\\1\\&]', '')",
        replace("abc", "(b)(c)", "[\\2\\1\\&]", ""),
        "a[cbbc]",
    );
    same("regexp_replace('abc', 'b', '\\\\', '')", replace("abc", "b", "\\\\", ""), "a\\c");
    same("regexp_replace('abc', 'b', '\\x', '')", replace("abc", "b", "\\x", ""), "a\\xc");
    same("regexp_replace('abc', '', '-', 'g')", replace("abc", "", "-", "g"), "-a-b-c-");
    same("regexp_replace('aaa', 'a*', 'X', 'g')", replace("aaa", "a*", "X", "g"), "XX");
    same("regexp_replace('日本', '本', 'x', 'g')", replace("日本", "本", "x", "g"), "日x");
    same(
        "regexp_replace('a' || chr(10) || 'b', '^b', 'X', 'n')",
        replace("a\nb", "^b", "X", "n"),
        "a\nX",
    );
    fails(
        "regexp_replace('a', '(', 'x', '')",
        replace("a", "(", "x", ""),
        "invalid regular expression \"(\"",
    );
    fails("regexp_replace('a', 'a', 'x', 'q?')", replace("a", "a", "x", "?"), "no flag \"?\"");
}

#[test]
fn regular_expressions_match_and_extract() {
    same("'abc' ~ 'b.'", call(RegexpMatches, [text("abc"), text("b.")]), "true");
    same("'abc' ~ '^b'", call(RegexpMatches, [text("abc"), text("^b")]), "false");
    same("'ABC' ~* 'b'", call(RegexpMatches, [text("ABC"), text("b"), text("i")]), "true");
    ours(
        "regexp_extract is DuckDB's",
        call(RegexpExtract, [text("abc-123"), text("([a-z]+)-([0-9]+)"), int(2)]),
        "123",
    );
    ours("regexp_extract is DuckDB's", call(RegexpExtract, [text("abc"), text("[0-9]+")]), "");
    let outside = call(RegexpExtract, [text("abc"), text("b"), int(1)]);
    assert!(evaluate_constant(&outside, &Context::new()).is_err());
}
