//! Text functions.

use super::*;
use Function::{
    Ascii, BitLength, ByteLength, Chr, Concat, ConcatSkipNulls, ConcatWithSeparator, Contains,
    EndsWith, Left, Length, Levenshtein, Lower, Md5, PadEnd, PadStart, Position, Repeat, Replace,
    Reverse, Right, SplitPart, StartsWith, Substring, Translate, Trim, TrimEnd, TrimStart, Upper,
};

#[test]
fn lengths_count_characters() {
    same("length('é')", call(Length, [text("é")]), "1");
    same("length('👨‍👩‍👧')", call(Length, [text("👨‍👩‍👧")]), "5");
    same("length('')", call(Length, [text("")]), "0");
    same("octet_length('é')", call(ByteLength, [text("é")]), "2");
    same(
        "octet_length('\\x00ff01'::bytea)",
        call(ByteLength, [value("\\x00ff01", DataType::Binary)]),
        "3",
    );
    same("length(null::text)", call(Length, [null(DataType::Utf8)]), "NULL");
    same("ascii('é')", call(Ascii, [text("é")]), "233");
    same("ascii('')", call(Ascii, [text("")]), "0");
    same("chr(8364)", call(Chr, [int(8364)]), "€");
    fails("chr(0)", call(Chr, [int(0)]), "chr(0)");
    fails("chr(-1)", call(Chr, [int(-1)]), "no such character");
    fails("chr(55296)", call(Chr, [int(55296)]), "no such character");
    same("reverse('aé日')", call(Reverse, [text("aé日")]), "日éa");
}

#[test]
fn distances_and_digests_are_of_characters_and_bytes() {
    same("bit_length('é')", call(BitLength, [text("é")]), "16");
    same("md5('abc')", call(Md5, [text("abc")]), "900150983cd24fb0d6963f7d28e17f72");
    same(
        "md5('\\x616263'::bytea)",
        call(Md5, [value("\\x616263", DataType::Binary)]),
        "900150983cd24fb0d6963f7d28e17f72",
    );
    let translated = call(Translate, [text("12345"), text("143"), text("ax")]);
    same("translate('12345', '143', 'ax')", translated, "a2x5");
    let far = call(Levenshtein, [text("kitten"), text("sitting")]);
    same("levenshtein('kitten', 'sitting')", far, "3");
    same("levenshtein('é', 'e')", call(Levenshtein, [text("é"), text("e")]), "1");
    let long = |c: &str| text(&c.repeat(20_000));
    fails("levenshtein(long, long)", call(Levenshtein, [long("a"), long("b")]), "too long");
    let alike = call(Levenshtein, [long("a"), text(&("a".repeat(20_000) + "b"))]);
    ours("PostgreSQL takes 255 characters", alike, "1");
}

#[test]
fn case_is_mapped_one_for_one() {
    same("upper('straße é')", call(Upper, [text("straße é")]), "STRAßE É");
    same("lower('İSTANBUL Ä')", call(Lower, [text("İSTANBUL Ä")]), "istanbul ä");
    same("lower('ABC xyz')", call(Lower, [text("ABC xyz")]), "abc xyz");
    same("upper('abc XYZ')", call(Upper, [text("abc XYZ")]), "ABC XYZ");
}

#[test]
fn substrings_count_positions_below_one() {
    same("substr('hello', 0, 2)", call(Substring, [text("hello"), int(0), int(2)]), "h");
    same("substr('hello', -3, 2)", call(Substring, [text("hello"), int(-3), int(2)]), "");
    same("substr('hello', -3, 6)", call(Substring, [text("hello"), int(-3), int(6)]), "he");
    same("substr('hello', 2)", call(Substring, [text("hello"), int(2)]), "ello");
    same("substr('hello', -2)", call(Substring, [text("hello"), int(-2)]), "hello");
    same("substr('hello', 9)", call(Substring, [text("hello"), int(9)]), "");
    same("substr('日本語', 2, 1)", call(Substring, [text("日本語"), int(2), int(1)]), "本");
    same(
        "substr('hello', 2, 2147483647)",
        call(Substring, [text("hello"), int(2), int(2147483647)]),
        "ello",
    );
    fails(
        "substr('hello', 2, -1)",
        call(Substring, [text("hello"), int(2), int(-1)]),
        "negative length",
    );
    ours(
        "64-bit positions",
        call(Substring, [text("hello"), big(i64::MIN.into()), big(i64::MAX.into())]),
        "",
    );
    same("left('hello', 2)", call(Left, [text("hello"), int(2)]), "he");
    same("left('hello', -2)", call(Left, [text("hello"), int(-2)]), "hel");
    same("left('hello', -9)", call(Left, [text("hello"), int(-9)]), "");
    same("left('日本語', 1)", call(Left, [text("日本語"), int(1)]), "日");
    same("right('hello', 2)", call(Right, [text("hello"), int(2)]), "lo");
    same("right('hello', -2)", call(Right, [text("hello"), int(-2)]), "llo");
    same("right('日本語', -1)", call(Right, [text("日本語"), int(-1)]), "本語");
    same("right('hello', 0)", call(Right, [text("hello"), int(0)]), "");
    ours("64-bit counts", call(Right, [text("hello"), big(i64::MIN.into())]), "");
}

#[test]
fn texts_are_joined_with_or_without_nulls() {
    same("'a' || 'b'", call(Concat, [text("a"), text("b")]), "ab");
    same("'a' || null", call(Concat, [text("a"), null(DataType::Utf8)]), "NULL");
    same("'a' || 1", call(Concat, [text("a"), int(1)]), "a1");
    same("'a' || date '2013-07-01'", call(Concat, [text("a"), date("2013-07-01")]), "a2013-07-01");
    same(
        "'\\x00'::bytea || '\\xff'::bytea",
        call(Concat, [value("\\x00", DataType::Binary), value("\\xff", DataType::Binary)]),
        "\\x00ff",
    );
    same("concat(null)", call(ConcatSkipNulls, [null(DataType::Utf8)]), "");
    let null = null(DataType::Utf8);
    let joined = resolve(ConcatSkipNulls, vec![text("a"), null.clone(), int(2)]).unwrap();
    assert_eq!(evaluate_constant(&joined, &Context::new()).unwrap(), Value::Text("a2".into()));
    let joined =
        resolve(ConcatWithSeparator, vec![text(","), text("a"), null.clone(), text("b")]).unwrap();
    assert_eq!(evaluate_constant(&joined, &Context::new()).unwrap(), Value::Text("a,b".into()));
    let joined = resolve(ConcatWithSeparator, vec![null, text("a")]).unwrap();
    assert_eq!(evaluate_constant(&joined, &Context::new()).unwrap(), Value::Null);
}

#[test]
fn texts_are_trimmed_padded_and_split() {
    same("trim('  a b ')", call(Trim, [text("  a b ")]), "a b");
    same("ltrim('xxyax', 'xy')", call(TrimStart, [text("xxyax"), text("xy")]), "ax");
    same("rtrim('xxyax', 'xy')", call(TrimEnd, [text("xxyax"), text("xy")]), "xxya");
    same("btrim('éaé', 'é')", call(Trim, [text("éaé"), text("é")]), "a");
    same("btrim('a', '')", call(Trim, [text("a"), text("")]), "a");
    same("lpad('7', 3, '0')", call(PadStart, [text("7"), int(3), text("0")]), "007");
    same("lpad('hello', 3)", call(PadStart, [text("hello"), int(3)]), "hel");
    same("lpad('hi', 7, 'xyz')", call(PadStart, [text("hi"), int(7), text("xyz")]), "xyzxyhi");
    same("rpad('hi', 5, 'é')", call(PadEnd, [text("hi"), int(5), text("é")]), "hiééé");
    same("rpad('hi', -1, 'x')", call(PadEnd, [text("hi"), int(-1), text("x")]), "");
    same("lpad('hi', 5, '')", call(PadStart, [text("hi"), int(5), text("")]), "hi");
    same("split_part('a,b,c', ',', 2)", call(SplitPart, [text("a,b,c"), text(","), int(2)]), "b");
    same("split_part('a,b,c', ',', -1)", call(SplitPart, [text("a,b,c"), text(","), int(-1)]), "c");
    same("split_part('a,b,c', ',', 9)", call(SplitPart, [text("a,b,c"), text(","), int(9)]), "");
    same("split_part('a,b', '', 1)", call(SplitPart, [text("a,b"), text(""), int(1)]), "a,b");
    same("split_part('a,b', '', 2)", call(SplitPart, [text("a,b"), text(""), int(2)]), "");
    same(
        "split_part('aXXbXXXc', 'XX', -1)",
        call(SplitPart, [text("aXXbXXXc"), text("XX"), int(-1)]),
        "Xc",
    );
    fails("split_part('a', ',', 0)", call(SplitPart, [text("a"), text(","), int(0)]), "from 1");
    same("repeat('ab', 3)", call(Repeat, [text("ab"), int(3)]), "ababab");
    same("repeat('ab', -1)", call(Repeat, [text("ab"), int(-1)]), "");
    same("repeat('', 1000000000)", call(Repeat, [text(""), int(1000000000)]), "");
    fails("repeat('x', 2000000000)", call(Repeat, [text("x"), int(2000000000)]), "longer than");
    fails(
        "lpad('x', 2000000000, 'y')",
        call(PadStart, [text("x"), int(2000000000), text("y")]),
        "longer than",
    );
}

#[test]
fn texts_are_searched_and_replaced() {
    same("strpos('high', 'ig')", call(Position, [text("high"), text("ig")]), "2");
    same("strpos('日本語', '語')", call(Position, [text("日本語"), text("語")]), "3");
    same("strpos('abc', '')", call(Position, [text("abc"), text("")]), "1");
    same("strpos('abc', 'z')", call(Position, [text("abc"), text("z")]), "0");
    same(
        "starts_with('alphabet', 'alph')",
        call(StartsWith, [text("alphabet"), text("alph")]),
        "true",
    );
    same("right('alphabet', 3) = 'bet'", call(EndsWith, [text("alphabet"), text("bet")]), "true");
    same("strpos('alphabet', 'hab') > 0", call(Contains, [text("alphabet"), text("hab")]), "true");
    same(
        "replace('abcabc', 'b', 'XX')",
        call(Replace, [text("abcabc"), text("b"), text("XX")]),
        "aXXcaXXc",
    );
    same("replace('abc', '', 'X')", call(Replace, [text("abc"), text(""), text("X")]), "abc");
    same("replace('aaa', 'aa', 'b')", call(Replace, [text("aaa"), text("aa"), text("b")]), "ba");
}

#[test]
fn a_text_function_keeps_to_the_memory_budget() {
    let context = Context { memory: crate::context::MemoryBudget::new(4 << 20), ..Context::new() };
    let long = call(Repeat, [text("x"), int(60_000_000)]);
    let error = evaluate_constant(&long, &context).unwrap_err();
    assert_eq!(error.kind(), crate::types::ErrorKind::OutOfMemory);
}
