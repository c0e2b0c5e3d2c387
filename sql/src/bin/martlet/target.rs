//! Where results go: standard output, a pager in front of it, or a file.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::view::terminal_height;

/// Where results go.
pub(crate) struct Target<'w> {
    standard: Box<dyn Write + 'w>,
    /// Whether what is longer than the screen goes through a pager.
    pub(crate) uses_pager: bool,
    file: Option<OutputFile>,
}

struct OutputFile {
    path: PathBuf,
    file: BufWriter<File>,
    is_for_one: bool,
}

impl<'w> Target<'w> {
    pub(crate) fn new(standard: impl Write + 'w, uses_pager: bool) -> Target<'w> {
        Target { standard: Box::new(standard), uses_pager, file: None }
    }

    /// Sends what follows to a new file: all of it, or the next result only.
    pub(crate) fn redirect(&mut self, path: &Path, is_for_one: bool) -> io::Result<()> {
        self.restore()?;
        let file = BufWriter::new(File::create(path)?);
        self.file = Some(OutputFile { path: path.to_owned(), file, is_for_one });
        Ok(())
    }

    /// Sends what follows to standard output.
    pub(crate) fn restore(&mut self) -> io::Result<()> {
        self.file.take().map_or(Ok(()), |mut output| output.file.flush())
    }

    /// The file that results go to, if it is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|output| output.path.as_path())
    }

    /// Hands what `write` writes to wherever results go.
    pub(crate) fn result<T, E: From<io::Error>>(
        &mut self,
        write: impl FnOnce(&mut dyn Write) -> Result<T, E>,
    ) -> Result<T, E> {
        if let Some(output) = &mut self.file {
            let outcome = write(&mut output.file);
            output.file.flush()?;
            if output.is_for_one {
                self.file = None;
            }
            return outcome;
        }
        let outcome = match terminal_height().filter(|_| self.uses_pager) {
            Some(height) => {
                let mut paged = Paged::new(&mut *self.standard, height);
                let outcome = write(&mut paged);
                paged.finish()?;
                outcome
            }
            None => write(&mut *self.standard),
        };
        self.standard.flush()?;
        outcome
    }

    /// Writes a line to standard output.
    pub(crate) fn note(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.standard, "{text}")?;
        self.standard.flush()
    }
}

/// Holds lines back until they are more than the screen has; then a pager gets them.
struct Paged<'w> {
    standard: &'w mut dyn Write,
    height: usize,
    held: Vec<u8>,
    line_count: usize,
    pager: Option<Child>,
    /// No pager could be started: all goes to standard output.
    is_plain: bool,
}

impl<'w> Paged<'w> {
    fn new(standard: &'w mut dyn Write, height: usize) -> Paged<'w> {
        Paged { standard, height, held: Vec::new(), line_count: 0, pager: None, is_plain: false }
    }

    /// Waits until the pager is left, or writes what was held.
    fn finish(mut self) -> io::Result<()> {
        let Some(mut pager) = self.pager.take() else {
            return self.standard.write_all(&self.held);
        };
        drop(pager.stdin.take());
        pager.wait().map(|_| ())
    }

    fn start(&mut self) -> io::Result<()> {
        if let Some(mut child) = spawn_pager() {
            let input = child.stdin.as_mut();
            let written = input.map_or(Ok(()), |input| input.write_all(&self.held));
            self.pager = Some(child);
            written?;
        } else {
            self.is_plain = true;
            self.standard.write_all(&self.held)?;
        }
        self.held.clear();
        Ok(())
    }
}

impl Write for Paged<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(input) = self.pager.as_mut().and_then(|pager| pager.stdin.as_mut()) {
            return input.write(bytes);
        }
        if self.is_plain {
            return self.standard.write(bytes);
        }
        self.held.extend_from_slice(bytes);
        self.line_count += bytes.split(|byte| *byte == b'\n').count() - 1;
        // A line for the footer, one for the prompt.
        if self.line_count + 2 > self.height {
            self.start()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `$PAGER`, or else less. An empty `$PAGER` is none.
fn spawn_pager() -> Option<Child> {
    let pager = std::env::var("PAGER").unwrap_or_else(|_| "less".to_owned());
    let mut words = pager.split_whitespace();
    let mut command = Command::new(words.next()?);
    command.args(words).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        // Long lines are cut, colours kept; the screen is left as it is.
        command.env("LESS", "-SRX");
    }
    command.spawn().ok()
}
