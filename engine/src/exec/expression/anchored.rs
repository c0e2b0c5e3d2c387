//! Simple regular expressions that are tied to the start of the text, matched without an automaton.
//!
//! `^https?://(?:www\.)?([^/]+)/.*$` is a chain: literals, optional literals, and repeated classes
//! whose end no other character could be. Such a chain is matched byte by byte: a repeated class takes
//! all it can and never gives anything back, which is right where the rest of the pattern either can
//! match nothing at all or cannot start with a character of the class. An optional literal is tried
//! first with, then without: the order in which the regex crate prefers matches. Whatever is not such
//! a chain is refused, and left to the regex crate, which is also the test.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};

/// Capture groups that are kept, the whole match included.
const GROUPS_MAX: usize = 10;
/// Optional literals: each may double the work.
const OPTIONS_MAX: usize = 4;

/// Where each group matched; group 0 is the whole match.
pub(super) type Groups = [(usize, usize); GROUPS_MAX];

/// A pattern that is such a chain.
#[derive(Clone, Debug)]
pub(super) struct Anchored {
    links: Vec<Link>,
}

#[derive(Clone, Debug)]
enum Link {
    Literal(Vec<u8>),
    Optional(Vec<u8>),
    /// As many bytes of the class as there are, at least one if `needs_one`.
    Run {
        class: ByteClass,
        needs_one: bool,
    },
    Open(usize),
    Close(usize),
    /// The end of the text.
    End,
}

/// Bytes; those that are not ASCII belong to it all together or not at all.
#[derive(Clone, Debug)]
enum ByteClass {
    Any,
    AnyBut(u8),
    Set(Box<[bool; 256]>),
}

impl ByteClass {
    fn new(class: &Class) -> Option<ByteClass> {
        let Class::Unicode(class) = class else { return None };
        let mut set = [false; 256];
        for range in class.iter() {
            let (start, end) = (u32::from(range.start()), u32::from(range.end()));
            if end > 0x7F && (start > 0x80 || end < 0x10_FFFF) {
                return None;
            }
            for byte in start..=end.min(0xFF) {
                set[usize::try_from(byte).ok()?] = true;
            }
        }
        let missing: Vec<usize> = (0..256).filter(|byte| !set[*byte]).collect();
        Some(match missing[..] {
            [] => ByteClass::Any,
            [byte] => ByteClass::AnyBut(u8::try_from(byte).ok()?),
            _ => ByteClass::Set(Box::new(set)),
        })
    }

    fn contains(&self, byte: u8) -> bool {
        match self {
            ByteClass::Any => true,
            ByteClass::AnyBut(other) => byte != *other,
            ByteClass::Set(set) => set[usize::from(byte)],
        }
    }

    /// How many bytes at the start of `text` belong to it.
    fn run_len(&self, text: &[u8]) -> usize {
        match self {
            ByteClass::Any => text.len(),
            ByteClass::AnyBut(byte) => memchr::memchr(*byte, text).unwrap_or(text.len()),
            ByteClass::Set(set) => {
                let is_outside = |byte: &u8| !set[usize::from(*byte)];
                text.iter().position(is_outside).unwrap_or(text.len())
            }
        }
    }
}

impl Anchored {
    /// The chain that a pattern is, if it is one; `.` matches a line end, no other flag is set.
    pub(super) fn new(pattern: &str) -> Option<Anchored> {
        let hir = ParserBuilder::new().dot_matches_new_line(true).build().parse(pattern).ok()?;
        let HirKind::Concat(parts) = hir.kind() else { return None };
        let (first, parts) = parts.split_first()?;
        if !matches!(first.kind(), HirKind::Look(Look::Start)) {
            return None;
        }
        let mut links = Vec::new();
        for part in parts {
            push_links(part, &mut links)?;
        }
        let option_count = links.iter().filter(|link| matches!(link, Link::Optional(_))).count();
        if option_count > OPTIONS_MAX {
            return None;
        }
        for (index, link) in links.iter().enumerate() {
            if let Link::Run { class, .. } = link
                && !keeps_all(class, &links[index + 1..])
            {
                return None;
            }
        }
        Some(Anchored { links })
    }

    /// Whether it matches, and if so where its groups do.
    pub(super) fn captures(&self, text: &str, groups: &mut Groups) -> bool {
        groups.fill((0, 0));
        match matched(&self.links, text.as_bytes(), 0, groups) {
            Some(end) => {
                groups[0] = (0, end);
                true
            }
            None => false,
        }
    }
}

fn push_links(part: &Hir, links: &mut Vec<Link>) -> Option<()> {
    match part.kind() {
        HirKind::Empty => {}
        HirKind::Literal(literal) => links.push(Link::Literal(literal.0.to_vec())),
        HirKind::Look(Look::End) => links.push(Link::End),
        HirKind::Repetition(Repetition { min: 0, max: Some(1), greedy: true, sub }) => {
            let HirKind::Literal(literal) = sub.kind() else { return None };
            links.push(Link::Optional(literal.0.to_vec()));
        }
        HirKind::Repetition(Repetition { min: min @ (0 | 1), max: None, greedy: true, sub }) => {
            let class = match sub.kind() {
                HirKind::Class(class) => ByteClass::new(class)?,
                HirKind::Literal(literal) => {
                    let [byte] = literal.0[..] else { return None };
                    let mut set = [false; 256];
                    set[usize::from(byte)] = true;
                    ByteClass::Set(Box::new(set))
                }
                _ => return None,
            };
            links.push(Link::Run { class, needs_one: *min == 1 });
        }
        HirKind::Capture(capture) => {
            let group = usize::try_from(capture.index).ok().filter(|group| *group < GROUPS_MAX)?;
            links.push(Link::Open(group));
            match capture.sub.kind() {
                HirKind::Concat(parts) => {
                    for part in parts {
                        push_links(part, links)?;
                    }
                }
                _ => push_links(&capture.sub, links)?,
            }
            links.push(Link::Close(group));
        }
        _ => return None,
    }
    Some(())
}

/// Whether a run of `class` that is followed by `rest` never has to give back what it took: the rest
/// can match nothing, or starts with a byte outside of the class, or with the end of the text.
fn keeps_all(class: &ByteClass, rest: &[Link]) -> bool {
    for link in rest {
        match link {
            // A shorter run ends before a byte of the class, which is not the end.
            Link::End => return true,
            Link::Literal(literal) => return !class.contains(literal[0]),
            Link::Optional(literal) if class.contains(literal[0]) => return false,
            Link::Run { class: next, needs_one } => {
                let overlaps = (0..=u8::MAX).any(|b| class.contains(b) && next.contains(b));
                if overlaps || *needs_one {
                    return !overlaps;
                }
            }
            Link::Open(_) | Link::Close(_) | Link::Optional(_) => {}
        }
    }
    true
}

/// Where a match of `links` that starts at `at` ends.
fn matched(links: &[Link], text: &[u8], mut at: usize, groups: &mut Groups) -> Option<usize> {
    for (index, link) in links.iter().enumerate() {
        match link {
            Link::Literal(literal) => {
                if !text[at..].starts_with(literal) {
                    return None;
                }
                at += literal.len();
            }
            Link::Optional(literal) => {
                if text[at..].starts_with(literal) {
                    let with = matched(&links[index + 1..], text, at + literal.len(), groups);
                    if with.is_some() {
                        return with;
                    }
                }
            }
            Link::Run { class, needs_one } => {
                let len = class.run_len(&text[at..]);
                if len == 0 && *needs_one {
                    return None;
                }
                at += len;
            }
            // Every way through the chain passes here again: what a failed one left is overwritten.
            Link::Open(group) => groups[*group].0 = at,
            Link::Close(group) => groups[*group].1 = at,
            Link::End => {
                if at < text.len() {
                    return None;
                }
            }
        }
    }
    Some(at)
}

#[cfg(test)]
#[expect(clippy::result_large_err, reason = "proptest's error type")]
mod tests {
    use proptest::prelude::*;
    use regex::RegexBuilder;

    use super::*;

    fn assert_same(pattern: &str, text: &str) -> bool {
        let regex = RegexBuilder::new(pattern).dot_matches_new_line(true).build().unwrap();
        let Some(anchored) = Anchored::new(pattern) else { return false };
        let mut groups = [(9, 9); GROUPS_MAX];
        let found = anchored.captures(text, &mut groups);
        let expected = regex.captures(text);
        assert_eq!(found, expected.is_some(), "{pattern:?} in {text:?}");
        for (group, expected) in expected.iter().flat_map(|captures| captures.iter()).enumerate() {
            let expected = expected.expect("no group is optional");
            assert_eq!(groups[group], (expected.start(), expected.end()), "{pattern:?} {text:?}");
        }
        true
    }

    #[test]
    fn chains_are_taken_and_others_refused() {
        for pattern in [
            r"^https?://(?:www\.)?([^/]+)/.*$",
            "^a",
            r"^([a-z]+)-([0-9]*)$",
            "^(a?b)c*",
            "^[^/]*",
            "^é+x$",
        ] {
            let taken = assert_same(pattern, "http://www.example.com/a\nb");
            assert_eq!(taken, pattern != "^é+x$", "{pattern}");
        }
        for pattern in
            ["a", "a|^b", "^a+ab", "^[a-z]+b?$", "^.*b", "^(a|b)c", "^[ab]", "^a+?b", "^(a)?"]
        {
            assert!(Anchored::new(pattern).is_none(), "{pattern}");
        }
    }

    fn link() -> impl Strategy<Value = String> {
        let literal = prop::sample::select(vec!["a", "b", "ab", "/", "é", "\\n", "ba"]);
        let class = prop::sample::select(vec![
            "[^/]", "[ab]", ".", "[^a]", "[^ab]", "a", "[^\\n]", "[a-z]", "[b/]", "\\d", "[é/]",
        ]);
        prop_oneof![
            3 => literal.clone().prop_map(str::to_owned),
            2 => literal.prop_map(|literal| format!("(?:{literal})?")),
            3 => (class, prop::sample::select(vec!["*", "+", "?", "{1,}", "*?", ""]))
                .prop_map(|(class, count)| format!("{class}{count}")),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_chain_matches_as_the_regex_crate_does(
            links in prop::collection::vec((link(), 0..3_u8), 0..6),
            ends in any::<bool>(),
            texts in prop::collection::vec("[ab/é\n1]{0,9}", 1..8),
        ) {
            let mut pattern = "^".to_owned();
            for (link, group) in links {
                let (open, close) = [("(", ")"), ("(?:", ")"), ("", "")][usize::from(group)];
                pattern.extend([open, &link, close]);
            }
            if ends {
                pattern.push('$');
            }
            for text in texts {
                assert_same(&pattern, &text);
            }
        }
    }
}
