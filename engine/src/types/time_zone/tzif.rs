//! One file of the compiled tz database (RFC 9636), read where it lies.
//!
//! Behind the header: the instants of the transitions, a byte each that numbers what begins there, and
//! the kinds of local time. The footer tells the rule that holds behind the last transition. Files are
//! part of the program; what is no such file gives no zone.

use super::Span;
use super::posix::Rule;

/// A file's parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct TzFile {
    /// Seconds since 1970, ascending, most significant byte first.
    transitions: &'static [[u8; 8]],
    /// What begins at each transition.
    kind_indices: &'static [u8],
    /// Seconds east of UTC and what is not needed.
    kinds: &'static [[u8; 6]],
    rule: Option<Rule>,
}

const HEADER_LEN: usize = 44;

impl TzFile {
    pub(super) fn read(bytes: &'static [u8]) -> Option<TzFile> {
        // The first part is for readers of 32 bits.
        let skipped = Counts::read(bytes)?;
        let (_, bytes) = bytes.split_at_checked(HEADER_LEN + skipped.body_len(4))?;
        let counts = Counts::read(bytes)?;
        let (transitions, rest) =
            bytes.get(HEADER_LEN..)?.split_at_checked(counts.transitions * 8)?;
        let (kind_indices, rest) = rest.split_at_checked(counts.transitions)?;
        let (kinds, _) = rest.split_at_checked(counts.kinds * 6)?;
        let footer = bytes.get(HEADER_LEN + counts.body_len(8)..)?;
        let footer = std::str::from_utf8(footer).ok()?.strip_prefix('\n')?;
        let rule = match footer.split('\n').next()? {
            "" => None,
            text => Some(Rule::parse(text)?),
        };
        let (transitions, kinds) = (transitions.as_chunks().0, kinds.as_chunks().0);
        let is_whole = kind_indices.iter().all(|kind| usize::from(*kind) < counts.kinds);
        (is_whole && counts.kinds > 0).then_some(TzFile { transitions, kind_indices, kinds, rule })
    }

    pub(super) fn span_at(self, seconds: i64) -> Span {
        let next = self.transitions.partition_point(|at| instant(*at) <= seconds);
        let start = next.checked_sub(1).map_or(i64::MIN, |last| instant(self.transitions[last]));
        let end = self.transitions.get(next).map(|at| instant(*at));
        if end.is_none()
            && let Some(rule) = self.rule
        {
            let span = rule.span_at(seconds);
            return Span { start: span.start.max(start), ..span };
        }
        let kind = next.checked_sub(1).map_or(0, |last| usize::from(self.kind_indices[last]));
        Span { start, end: end.unwrap_or(i64::MAX), offset: offset(self.kinds[kind]) }
    }
}

#[expect(clippy::big_endian_bytes, reason = "RFC 9636 has them so")]
fn instant(bytes: [u8; 8]) -> i64 {
    i64::from_be_bytes(bytes)
}

#[expect(clippy::big_endian_bytes, reason = "RFC 9636 has them so")]
fn offset(kind: [u8; 6]) -> i32 {
    i32::from_be_bytes([kind[0], kind[1], kind[2], kind[3]])
}

/// How many of each a part of the file has.
struct Counts {
    utc_flags: usize,
    standard_flags: usize,
    leap_seconds: usize,
    transitions: usize,
    kinds: usize,
    name_bytes: usize,
}

impl Counts {
    fn read(bytes: &[u8]) -> Option<Counts> {
        let fields = bytes.get(..HEADER_LEN)?.strip_prefix(b"TZif")?.get(16..)?;
        let (words, _) = fields.as_chunks::<4>();
        #[expect(clippy::big_endian_bytes, reason = "RFC 9636 has them so")]
        let count = |index: usize| usize::try_from(u32::from_be_bytes(*words.get(index)?)).ok();
        Some(Counts {
            utc_flags: count(0)?,
            standard_flags: count(1)?,
            leap_seconds: count(2)?,
            transitions: count(3)?,
            kinds: count(4)?,
            name_bytes: count(5)?,
        })
    }

    /// Bytes behind the header, where instants have so many.
    fn body_len(&self, instant_len: usize) -> usize {
        self.transitions * (instant_len + 1)
            + self.kinds * 6
            + self.name_bytes
            + self.leap_seconds * (instant_len + 4)
            + self.standard_flags
            + self.utc_flags
    }
}
