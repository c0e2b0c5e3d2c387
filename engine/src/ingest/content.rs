//! The bytes of a text file, decompressed and in UTF-8, at any offset.
//!
//! A plain file is read where it lies. Anything else is decoded from its beginning as far as somebody
//! asks, kept in memory while it is short and in a temporary file beyond, so that its pieces can be
//! read again and by several workers. Must not know what the text says.

use std::fs::File;
use std::io::{BufReader, Read};
use std::sync::{Mutex, PoisonError};

use super::positional::read_some_at;
use super::spool::{Place, Spool};
use crate::catalog::files::{Compression, Encoding};
use crate::types::{Error, Result};

/// A text file's bytes.
#[derive(Debug)]
pub(super) struct Content {
    path: String,
    bytes: Bytes,
}

#[derive(Debug)]
enum Bytes {
    Plain { file: File, start: u64, len: u64 },
    Decoded(Mutex<Decoded>),
}

/// What was decoded so far, in pieces of [`PIECE_BYTES`]; only the last may be shorter.
struct Decoded {
    reader: Option<Box<dyn Read + Send>>,
    pieces: Vec<Piece>,
    len: u64,
    spool: Spool,
}

impl std::fmt::Debug for Decoded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Decoded({} bytes)", self.len)
    }
}

enum Piece {
    Memory(Vec<u8>),
    Spooled(Place),
}

const PIECE_BYTES: usize = 1 << 20;
/// Pieces that stay in memory.
const PIECES_IN_MEMORY: usize = 8;

impl Content {
    /// Opens a file.
    ///
    /// # Errors
    /// `Io`; `Unsupported` for a compression that we do not read, by its name.
    pub(super) fn open(
        path: &str,
        compression: Compression,
        encoding: Encoding,
    ) -> Result<Content> {
        let io = |action: &'static str| {
            move |error: std::io::Error| Error::from_io(action, path, &error)
        };
        let file = File::open(path).map_err(io("open"))?;
        let len = file.metadata().map_err(io("read"))?.len();
        let mut head = [0; 8];
        let head_len = read_some_at(&file, &mut head, 0).map_err(io("read"))?;
        let head = &head[..head_len];
        let compression = match compression {
            Compression::Detect => detect(head, path)?,
            told => told,
        };
        let plain = BufReader::with_capacity(1 << 18, file.try_clone().map_err(io("read"))?);
        let reader: Box<dyn Read + Send> = match compression {
            Compression::Gzip => {
                let reader = Box::new(flate2::read::MultiGzDecoder::new(plain));
                Box::new(Bounded { reader, given: 0, len })
            }
            Compression::Zstd => {
                Box::new(Bounded { reader: zstd_reader(plain, path)?, given: 0, len })
            }
            Compression::None | Compression::Detect => {
                if let Some(start) = utf8_start(head, encoding) {
                    let bytes = Bytes::Plain { file, start, len };
                    return Ok(Content { path: path.to_owned(), bytes });
                }
                Box::new(plain)
            }
        };
        let reader = Box::new(Transcoder::new(reader, encoding));
        let decoded =
            Decoded { reader: Some(reader), pieces: Vec::new(), len: 0, spool: Spool::new(None) };
        Ok(Content { path: path.to_owned(), bytes: Bytes::Decoded(Mutex::new(decoded)) })
    }

    /// The file's path.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Where in the file the byte at `offset` is: behind its byte order mark, which is not among the
    /// bytes; what was decoded has no other place than its own.
    pub(super) fn byte_offset(&self, offset: u64) -> u64 {
        match &self.bytes {
            Bytes::Plain { start, .. } => start.saturating_add(offset),
            Bytes::Decoded(_) => offset,
        }
    }

    /// How many bytes there are. What is compressed has to be decoded for that.
    ///
    /// # Errors
    /// `Io`; `Corrupt`.
    pub(super) fn len(&self) -> Result<u64> {
        match &self.bytes {
            Bytes::Plain { start, len, .. } => Ok(len.saturating_sub(*start)),
            Bytes::Decoded(decoded) => {
                let mut decoded = decoded.lock().unwrap_or_else(PoisonError::into_inner);
                decoded.decode_to(u64::MAX, &self.path)?;
                Ok(decoded.len)
            }
        }
    }

    /// Appends the bytes from `offset` on to `target`: `len` of them, fewer only at the end.
    ///
    /// # Errors
    /// `Io`; `Corrupt`.
    pub(super) fn read(&self, offset: u64, len: usize, target: &mut Vec<u8>) -> Result<()> {
        match &self.bytes {
            Bytes::Plain { file, start, len: file_len } => {
                let begin = start.saturating_add(offset);
                let available = usize::try_from(file_len.saturating_sub(begin)).unwrap_or(len);
                let filled = target.len();
                target.resize(filled + len.min(available), 0);
                let read = read_some_at(file, &mut target[filled..], begin)
                    .map_err(|error| Error::from_io("read", &self.path, &error))?;
                target.truncate(filled + read);
                Ok(())
            }
            Bytes::Decoded(decoded) => {
                let mut decoded = decoded.lock().unwrap_or_else(PoisonError::into_inner);
                decoded.decode_to(offset.saturating_add(wide(len)), &self.path)?;
                decoded.read(offset, len, target)
            }
        }
    }
}

impl Decoded {
    /// Decodes until `end` bytes or the end are there.
    fn decode_to(&mut self, end: u64, path: &str) -> Result<()> {
        while self.len < end {
            let Some(reader) = &mut self.reader else { return Ok(()) };
            let mut piece = Vec::with_capacity(PIECE_BYTES);
            reader
                .take(wide(PIECE_BYTES))
                .read_to_end(&mut piece)
                .map_err(|error| broken(path, &error))?;
            if piece.len() < PIECE_BYTES {
                self.reader = None;
            }
            self.len += wide(piece.len());
            let piece = if self.pieces.len() < PIECES_IN_MEMORY {
                Piece::Memory(piece)
            } else {
                Piece::Spooled(self.spool.append(&piece)?)
            };
            self.pieces.push(piece);
        }
        Ok(())
    }

    fn read(&self, offset: u64, len: usize, target: &mut Vec<u8>) -> Result<()> {
        let Ok(mut at) = usize::try_from(offset) else { return Ok(()) };
        let mut left = len;
        while left > 0 {
            let Some(piece) = self.pieces.get(at / PIECE_BYTES) else { return Ok(()) };
            let spooled;
            let bytes = match piece {
                Piece::Memory(bytes) => bytes,
                Piece::Spooled(place) => {
                    spooled = self.spool.read(*place)?;
                    &spooled
                }
            };
            let Some(rest) = bytes.get(at % PIECE_BYTES..).filter(|rest| !rest.is_empty()) else {
                return Ok(());
            };
            let taken = rest.len().min(left);
            target.extend_from_slice(&rest[..taken]);
            at += taken;
            left -= taken;
        }
        Ok(())
    }
}

fn detect(head: &[u8], path: &str) -> Result<Compression> {
    let refused = |name: &str, command: &str| {
        Err(Error::unsupported(format!("{path} is compressed with {name}"))
            .with_hint(format!("decompress it first: {command} {path}")))
    };
    match head {
        [0x1f, 0x8b, ..] => Ok(Compression::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Ok(Compression::Zstd),
        [b'B', b'Z', b'h', ..] => refused("bzip2", "bunzip2"),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => refused("xz", "unxz"),
        [b'P', b'K', 3, 4, ..] => refused("zip", "unzip"),
        [0x04, 0x22, 0x4d, 0x18, ..] => refused("lz4", "lz4 -d"),
        _ => Ok(Compression::None),
    }
}

#[cfg(feature = "zstd")]
fn zstd_reader(file: BufReader<File>, path: &str) -> Result<Box<dyn Read + Send>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(file)
        .map_err(|error| Error::from_io("decompress", path, &error))?;
    // No window that a file asks for takes more than 128 MiB.
    decoder.window_log_max(27).map_err(|error| Error::from_io("decompress", path, &error))?;
    Ok(Box::new(decoder))
}

#[cfg(not(feature = "zstd"))]
fn zstd_reader(_file: BufReader<File>, path: &str) -> Result<Box<dyn Read + Send>> {
    Err(Error::unsupported(format!("{path} is compressed with zstd"))
        .with_hint("this build has no zstd: build with the feature `zstd`"))
}

/// What a compressed file of `len` bytes gives, at most [`decoded_bytes_max`] of them.
struct Bounded {
    reader: Box<dyn Read + Send>,
    given: u64,
    len: u64,
}

impl Read for Bounded {
    fn read(&mut self, target: &mut [u8]) -> std::io::Result<usize> {
        let read = self.reader.read(target)?;
        self.given += wide(read);
        if self.given > decoded_bytes_max(self.len) {
            return Err(std::io::Error::other(Bomb { given: self.given, len: self.len }));
        }
        Ok(read)
    }
}

/// Any file may give so much.
const DECODED_BYTES: u64 = if cfg!(test) { 1 << 20 } else { 1 << 30 };

/// How much a file of `len` bytes may give before it is taken for one that is to fill the disk.
///
/// gzip makes 1,032 bytes of one and never more, zstd as many as it is told to: 32,768 of zeros, as a
/// frame of blocks that are each one byte repeated. Texts come to 100, tables of hardly anything to
/// 1,000. So what gzip can give is never refused, and what zstd can give only where it is long: up to
/// 1 GiB anything goes, up to 16 GiB 10,000 bytes for one, and 1,100 beyond.
fn decoded_bytes_max(len: u64) -> u64 {
    let steep = len.saturating_mul(10_000).min(16 * DECODED_BYTES);
    steep.max(DECODED_BYTES).max(len.saturating_mul(1_100))
}

/// A file gives more than is believed of it.
#[derive(Debug)]
struct Bomb {
    given: u64,
    len: u64,
}

impl std::fmt::Display for Bomb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "its {} bytes give more than {}, with no end yet", self.len, self.given)
    }
}

impl std::error::Error for Bomb {}

/// Where the text begins if the bytes are UTF-8 already: behind its byte order mark.
fn utf8_start(head: &[u8], encoding: Encoding) -> Option<u64> {
    match (head, encoding) {
        ([0xff, 0xfe, ..] | [0xfe, 0xff, ..], Encoding::Utf8) => None,
        ([0xef, 0xbb, 0xbf, ..], Encoding::Utf8) => Some(3),
        (_, Encoding::Utf8) => Some(0),
        _ => None,
    }
}

fn broken(path: &str, error: &std::io::Error) -> Error {
    match error.kind() {
        std::io::ErrorKind::InvalidInput
        | std::io::ErrorKind::InvalidData
        | std::io::ErrorKind::UnexpectedEof
        | std::io::ErrorKind::Other => {
            let told = Error::corrupt(format!("{path} cannot be decompressed: {error}"));
            match error.get_ref() {
                Some(cause) if cause.is::<Bomb>() => told.with_hint(
                    "such a file is made to fill a disk; if it is what it should be, decompress it \
                     first and read that",
                ),
                _ => told,
            }
        }
        _ => Error::from_io("read", path, error),
    }
}

/// Makes UTF-8 of other encodings, and drops byte order marks.
struct Transcoder {
    source: Box<dyn Read + Send>,
    encoding: Encoding,
    /// Decoded once the first bytes are known.
    form: Option<Form>,
    input: Vec<u8>,
    output: Vec<u8>,
    given: usize,
    ended: bool,
}

#[derive(Clone, Copy)]
enum Form {
    Utf8,
    Latin1,
    Windows1252,
    Utf16 { big_endian: bool },
}

/// What Windows-1252 has instead of the controls 80 to 9F of ISO 8859-1; those that it lacks stay, as the
/// Encoding Standard (WHATWG) has it.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

fn windows_1252(byte: u8) -> char {
    let special = byte.checked_sub(0x80).and_then(|index| WINDOWS_1252.get(usize::from(index)));
    special.copied().unwrap_or_else(|| char::from(byte))
}

impl Transcoder {
    fn new(source: Box<dyn Read + Send>, encoding: Encoding) -> Transcoder {
        Transcoder {
            source,
            encoding,
            form: None,
            input: Vec::new(),
            output: Vec::new(),
            given: 0,
            ended: false,
        }
    }

    fn fill(&mut self) -> std::io::Result<()> {
        self.output.clear();
        self.given = 0;
        while self.output.is_empty() && !self.ended {
            let before = self.input.len();
            self.input.resize(before + (1 << 16), 0);
            let read = self.source.read(&mut self.input[before..])?;
            self.input.truncate(before + read);
            self.ended = read == 0;
            // The mark has at most three bytes.
            if self.form.is_none() && self.input.len() < 3 && !self.ended {
                continue;
            }
            let form = if let Some(form) = self.form { form } else { self.settle() };
            self.decode(form)?;
        }
        Ok(())
    }

    fn settle(&mut self) -> Form {
        let (form, mark) = match (&self.input[..], self.encoding) {
            ([0xff, 0xfe, ..], Encoding::Utf8 | Encoding::Utf16) => {
                (Form::Utf16 { big_endian: false }, 2)
            }
            ([0xfe, 0xff, ..], Encoding::Utf8 | Encoding::Utf16) => {
                (Form::Utf16 { big_endian: true }, 2)
            }
            ([0xef, 0xbb, 0xbf, ..], Encoding::Utf8) => (Form::Utf8, 3),
            (_, Encoding::Utf8) => (Form::Utf8, 0),
            (_, Encoding::Utf16) => (Form::Utf16 { big_endian: false }, 0),
            (_, Encoding::Latin1) => (Form::Latin1, 0),
            (_, Encoding::Windows1252) => (Form::Windows1252, 0),
        };
        self.input.drain(..mark);
        self.form = Some(form);
        form
    }

    fn decode(&mut self, form: Form) -> std::io::Result<()> {
        match form {
            Form::Utf8 => std::mem::swap(&mut self.input, &mut self.output),
            Form::Latin1 => self.decode_bytes(char::from),
            Form::Windows1252 => self.decode_bytes(windows_1252),
            Form::Utf16 { big_endian } => self.decode_utf16(big_endian)?,
        }
        Ok(())
    }

    fn decode_bytes(&mut self, character: impl Fn(u8) -> char) {
        let mut text = String::with_capacity(self.input.len() * 2);
        text.extend(self.input.iter().map(|byte| character(*byte)));
        self.output = text.into_bytes();
        self.input.clear();
    }

    fn decode_utf16(&mut self, big_endian: bool) -> std::io::Result<()> {
        let units: Vec<u16> = self
            .input
            .chunks_exact(2)
            .map(|pair| {
                let pair = if big_endian { [pair[1], pair[0]] } else { [pair[0], pair[1]] };
                u16::from_le_bytes(pair)
            })
            .collect();
        // A pair of surrogates may be torn.
        let torn = units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit));
        let whole = if torn && !self.ended { units.len() - 1 } else { units.len() };
        let mut text = String::with_capacity(whole * 2);
        for decoded in char::decode_utf16(units[..whole].iter().copied()) {
            text.push(decoded.map_err(|_| not_utf16())?);
        }
        self.input.drain(..whole * 2);
        if self.ended && !self.input.is_empty() {
            return Err(not_utf16());
        }
        self.output = text.into_bytes();
        Ok(())
    }
}

fn not_utf16() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, "it is not UTF-16")
}

impl Read for Transcoder {
    fn read(&mut self, target: &mut [u8]) -> std::io::Result<usize> {
        if self.given == self.output.len() {
            self.fill()?;
        }
        let rest = &self.output[self.given..];
        let taken = rest.len().min(target.len());
        target[..taken].copy_from_slice(&rest[..taken]);
        self.given += taken;
        Ok(taken)
    }
}

fn wide(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn all(bytes: &[u8], encoding: Encoding) -> Result<Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, bytes).unwrap();
        let content = Content::open(path.to_str().unwrap(), Compression::Detect, encoding)?;
        let mut found = Vec::new();
        content.read(0, 3, &mut found)?;
        content.read(3, usize::MAX >> 1, &mut found)?;
        assert_eq!(content.len()?, wide(found.len()));
        Ok(found)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn marks_and_encodings_become_utf8() -> Result<()> {
        assert_eq!(all(b"\xef\xbb\xbfa,b", Encoding::Utf8)?, b"a,b");
        assert_eq!(all(b"a\xe9b", Encoding::Latin1)?, "aéb".as_bytes());
        assert_eq!(all(b"5 \x80 \x9f\xa0\xe9", Encoding::Windows1252)?, "5 € Ÿ\u{a0}é".as_bytes());
        let text = "aé😀,b";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = little.chunks(2).flat_map(|pair| [pair[1], pair[0]]).collect();
        assert_eq!(all(&little, Encoding::Utf16)?, text.as_bytes());
        assert_eq!(all(&[&[0xfe, 0xff], &big[..]].concat(), Encoding::Utf8)?, text.as_bytes());
        assert!(all(&little[..3], Encoding::Utf16).is_err());
        assert_eq!(all(b"", Encoding::Utf8)?, b"");
        Ok(())
    }

    #[test]
    fn compressed_text_is_read_at_any_offset_also_when_it_is_long() -> Result<()> {
        assert_eq!(all(&gzip("aé".as_bytes()), Encoding::Utf8)?, "aé".as_bytes());
        let long: Vec<u8> = (0..10_u8).cycle().take(PIECE_BYTES * 10 + 7).collect();
        assert_eq!(all(&gzip(&long), Encoding::Utf8)?, long);
        let cut = gzip(&long);
        let error = all(&cut[..cut.len() / 2], Encoding::Utf8).unwrap_err();
        assert!(error.message().contains("cannot be decompressed"), "{error}");
        Ok(())
    }

    #[test]
    fn gzip_gives_what_it_can() -> Result<()> {
        let zeros = vec![b'0'; 20 << 20];
        let packed = gzip(&zeros);
        assert!(zeros.len() / packed.len() > 100);
        assert_eq!(all(&packed, Encoding::Latin1)?.len(), zeros.len());
        Ok(())
    }

    #[cfg(feature = "zstd")]
    #[test]
    fn a_file_that_is_made_to_fill_the_disk_is_refused() -> Result<()> {
        let pack = |bytes: &[u8]| zstd::stream::encode_all(bytes, 19).unwrap();
        let zeros = vec![b'0'; 40 << 20];
        let bomb = pack(&zeros);
        assert!(zeros.len() / bomb.len() > 10_000, "{}", bomb.len());
        let error = all(&bomb, Encoding::Utf8).unwrap_err();
        assert_eq!(error.kind(), crate::types::ErrorKind::Corrupt);
        let expected = format!("its {} bytes give more than ", bomb.len());
        assert!(error.message().contains(&expected), "{error}");
        assert!(error.hint().unwrap().contains("decompress it first"), "{error}");
        // The same bytes among others are no bomb, and neither is a short one.
        let number = |row: u32| format!("{}\n", row.wrapping_mul(2_654_435_761));
        let numbers: Vec<String> = (0..100_000).map(number).collect();
        let numbers = numbers.concat();
        let mixed = [pack(numbers.as_bytes()), bomb].concat();
        assert_eq!(all(&mixed, Encoding::Utf8)?.len(), numbers.len() + zeros.len());
        assert_eq!(all(&pack(&zeros[..1 << 20]), Encoding::Utf8)?.len(), 1 << 20);
        Ok(())
    }

    #[test]
    fn no_file_that_gzip_makes_is_refused_and_none_gives_what_it_likes() {
        assert_eq!(decoded_bytes_max(0), DECODED_BYTES);
        assert_eq!(decoded_bytes_max(u64::MAX), u64::MAX);
        for bits in 0..50 {
            let len = 1_u64 << bits;
            let bound = decoded_bytes_max(len);
            assert!(bound >= 1_032 * len && bound <= DECODED_BYTES.max(10_000 * len));
        }
    }

    #[test]
    fn other_compressions_are_refused_by_name() {
        let error = all(b"BZh91AY", Encoding::Utf8).unwrap_err();
        assert!(error.message().contains("bzip2"), "{error}");
    }
}
