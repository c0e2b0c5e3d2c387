//! The one error type of the project: a kind, one sentence, and what helps to mend it.
//!
//! An error knows where it happened only as data (a byte position in the SQL text, a file name in
//! the message); drawing the caret is the frontend's work.

use std::error;
use std::fmt;
use std::io;

/// A result with Martlet's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of thing went wrong; decides the SQLSTATE code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The SQL text does not parse.
    Syntax,
    /// A table, column, function or setting has no such name, or the name is ambiguous.
    UnknownName,
    /// An expression's types do not fit.
    Type,
    /// The request is understood but not supported.
    Unsupported,
    /// A statement is well formed but makes no sense (a bare column beside an aggregate, …).
    Invalid,
    /// A value does not fit its type: a failed cast, an overflow.
    OutOfRange,
    /// A text is no valid value of the type asked for.
    InvalidText,
    /// Division or modulo by zero.
    DivisionByZero,
    /// A file does not hold what its checksum, length or format promises.
    Corrupt,
    /// The operating system refused an operation.
    Io,
    /// Something with that name exists already.
    AlreadyExists,
    /// Another process or thread holds what is needed.
    Locked,
    /// The query was cancelled or its deadline passed.
    Cancelled,
    /// The memory limit does not allow what the query needs.
    OutOfMemory,
    /// An invariant of Martlet itself is broken: always a bug.
    Internal,
}

impl ErrorKind {
    /// The five-character SQLSTATE code that PostgreSQL uses for this kind.
    pub fn sqlstate(self) -> &'static str {
        match self {
            ErrorKind::Syntax => "42601",
            ErrorKind::UnknownName => "42703",
            ErrorKind::Type => "42804",
            ErrorKind::Unsupported => "0A000",
            ErrorKind::Invalid => "42803",
            ErrorKind::OutOfRange => "22003",
            ErrorKind::InvalidText => "22P02",
            ErrorKind::DivisionByZero => "22012",
            ErrorKind::Corrupt => "XX001",
            ErrorKind::Io => "58030",
            ErrorKind::AlreadyExists => "42P07",
            ErrorKind::Locked => "55006",
            ErrorKind::Cancelled => "57014",
            ErrorKind::OutOfMemory => "53200",
            ErrorKind::Internal => "XX000",
        }
    }
}

/// An error: a [kind](ErrorKind), a sentence, and optionally a position in the SQL text, a hint and
/// up to three suggestions.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    position: Option<usize>,
    hint: Option<String>,
    suggestions: Vec<String>,
}

macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident => $kind:ident,)*) => {
        $($(#[$doc])*
        pub fn $name(message: impl Into<String>) -> Error {
            Error::new(ErrorKind::$kind, message)
        })*
    };
}

impl Error {
    /// An error of `kind`; `message` is one sentence without a full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error(Box::new(Inner {
            kind,
            message: message.into(),
            position: None,
            hint: None,
            suggestions: Vec::new(),
        }))
    }

    constructors! {
        /// The SQL text does not parse.
        syntax => Syntax,
        /// No such name, or an ambiguous one.
        unknown_name => UnknownName,
        /// Types that do not fit.
        type_mismatch => Type,
        /// Understood but not supported.
        unsupported => Unsupported,
        /// Well formed but senseless.
        invalid => Invalid,
        /// A value outside its type's range.
        out_of_range => OutOfRange,
        /// A text that is no value of the type asked for.
        invalid_text => InvalidText,
        /// A damaged file; the message names the file and what is wrong with it.
        corrupt => Corrupt,
        /// An operation that the operating system refused.
        io => Io,
        /// A name that is taken.
        already_exists => AlreadyExists,
        /// Something that somebody else holds.
        locked => Locked,
        /// The memory limit is reached.
        out_of_memory => OutOfMemory,
        /// A broken invariant of Martlet itself.
        internal => Internal,
    }

    /// Division or modulo by zero.
    pub fn division_by_zero() -> Error {
        Error::new(ErrorKind::DivisionByZero, "division by zero")
    }

    /// The query was cancelled.
    pub fn cancelled() -> Error {
        Error::new(ErrorKind::Cancelled, "the query was cancelled")
    }

    /// Wraps an I/O error with what was being done, to which file.
    pub fn from_io(action: &str, file: &str, error: &io::Error) -> Error {
        let told = Error::io(format!("cannot {action} {file}: {error}"));
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                told.with_hint("free some space, then try again")
            }
            io::ErrorKind::ReadOnlyFilesystem => told.with_hint("reading works, writing does not"),
            _ => told,
        }
    }

    /// Sets the byte position in the SQL text.
    #[must_use]
    pub fn at(mut self, position: usize) -> Error {
        self.0.position = Some(position);
        self
    }

    /// Forgets the position: it is one in a text that the reader has not written.
    #[must_use]
    pub fn nowhere(mut self) -> Error {
        self.0.position = None;
        self
    }

    /// Sets what the reader can do about it: one sentence.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Error {
        self.0.hint = Some(hint.into());
        self
    }

    /// Sets names that the reader may have meant; at most three are kept.
    #[must_use]
    pub fn with_suggestions(mut self, suggestions: Vec<String>) -> Error {
        self.0.suggestions = suggestions;
        self.0.suggestions.truncate(3);
        self
    }

    /// Puts `context` and a colon before the message.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Error {
        self.0.message = format!("{context}: {}", self.0.message);
        self
    }

    /// The kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The sentence.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The byte position in the SQL text, where there is one.
    pub fn position(&self) -> Option<usize> {
        self.0.position
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Names that may have been meant, best first.
    pub fn suggestions(&self) -> &[String] {
        &self.0.suggestions
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if let Some(hint) = &self.0.hint {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.0.kind)
    }
}

impl error::Error for Error {}

impl From<arrow::error::ArrowError> for Error {
    fn from(error: arrow::error::ArrowError) -> Error {
        use arrow::error::ArrowError;
        match error {
            ArrowError::DivideByZero => Error::division_by_zero(),
            ArrowError::ArithmeticOverflow(message) => Error::out_of_range(message),
            ArrowError::CastError(message) | ArrowError::ParseError(message) => {
                Error::invalid_text(message)
            }
            ArrowError::NotYetImplemented(message) => Error::unsupported(message),
            other => Error::internal(other.to_string()),
        }
    }
}
