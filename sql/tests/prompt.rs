//! The prompt, driven as a person drives it: keys into a pseudo-terminal, what it draws out of it.
#![cfg(target_os = "linux")]

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::fs::File;
    use std::io::{Read, Write};
    use std::path::Path;
    use std::process::{Child, Command};
    use std::sync::mpsc::{self, Receiver};
    use std::thread;
    use std::time::Duration;

    use rustix::process::{Pid, Signal, kill_process};
    use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
    use rustix::termios::{Winsize, tcsetwinsize};

    type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

    /// Much longer than anything takes, so that only what never comes fails.
    const PATIENCE: Duration = Duration::from_mins(2);

    /// A shell in a terminal of 100 columns and 30 lines.
    struct Terminal {
        shell: Child,
        keys: File,
        drawn: Receiver<Vec<u8>>,
        /// What was drawn and not yet looked for.
        seen: String,
    }

    impl Drop for Terminal {
        fn drop(&mut self) {
            let _killed = self.shell.kill();
            let _reaped = self.shell.wait();
        }
    }

    impl Terminal {
        fn start(home: &Path, arguments: &[&str]) -> Result<Terminal> {
            let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
            let master = openpt(flags)?;
            grantpt(&master)?;
            unlockpt(&master)?;
            let size = Winsize { ws_row: 30, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
            tcsetwinsize(&master, size)?;
            let slave = ioctl_tiocgptpeer(&master, flags)?;
            let shell = Command::new(env!("CARGO_BIN_EXE_martlet"))
                .args(arguments)
                .current_dir(home)
                .env("HOME", home)
                .env("TERM", "xterm-256color")
                .env("NO_COLOR", "1")
                .env("PAGER", "")
                .env_remove("MARTLET_HISTORY")
                .stdin(slave.try_clone()?)
                .stdout(slave.try_clone()?)
                .stderr(slave)
                .spawn()?;
            let keys = File::from(master);
            let (mut screen, mut answers) = (keys.try_clone()?, keys.try_clone()?);
            let (draw, drawn) = mpsc::channel();
            thread::spawn(move || {
                let mut bytes = [0; 4096];
                // The terminal ends with an error when the shell has left it.
                while let Ok(len) = screen.read(&mut bytes) {
                    let part = &bytes[..len];
                    // Where is the cursor?
                    if part.windows(4).any(|window| window == b"\x1b[6n")
                        && answers.write_all(b"\x1b[1;1R").is_err()
                    {
                        break;
                    }
                    if len == 0 || draw.send(part.to_vec()).is_err() {
                        break;
                    }
                }
            });
            Ok(Terminal { shell, keys, drawn, seen: String::new() })
        }

        fn press(&mut self, keys: &str) -> Result {
            Ok(self.keys.write_all(keys.as_bytes())?)
        }

        /// Waits until `text` is drawn, behind what was seen before.
        fn see(&mut self, text: &str) -> Result {
            loop {
                if let Some(at) = self.seen.find(text) {
                    self.seen.drain(..at + text.len());
                    return Ok(());
                }
                let part = self
                    .drawn
                    .recv_timeout(PATIENCE)
                    .map_err(|error| format!("{text:?}: {error} behind {:?}", self.seen))?;
                self.seen.push_str(&String::from_utf8_lossy(&part));
            }
        }
    }

    #[test]
    fn a_session_from_the_first_key_to_the_last() -> Result {
        let home = tempfile::tempdir()?;
        std::fs::write(home.path().join(".martletrc"), ".timer off\n")?;
        let mut terminal = Terminal::start(home.path(), &["sales.mart"])?;
        terminal.see("sales.mart, a new database")?;
        terminal.see("sales> ")?;

        terminal.press("CREATE TABLE orders (order_id int, order_total int);\r")?;
        terminal.see("(done)")?;
        // Several lines; Tab completes what only one name can follow.
        terminal.press("INSERT INTO ord\t")?;
        terminal.see("orders")?;
        terminal.press("\r")?;
        terminal.see("…> ")?;
        terminal.press("VALUES (1, 20), (2, 22);\r")?;
        terminal.see("(2 rows)")?;
        terminal.press("SELECT sum(order_to\t")?;
        terminal.see("order_total")?;
        terminal.press(") AS answer FROM orders;\r")?;
        terminal.see(" answer\r\n")?;
        terminal.see("  42\r\n")?;
        terminal.see("sales> ")?;

        // Ctrl-C drops a line; a mistake is met with a caret.
        terminal.press("SELECT nonsense\u{3}")?;
        terminal.see("sales> ")?;
        terminal.press("SELECT * FORM orders;\r")?;
        terminal.see("did you mean: FROM")?;
        terminal.see("sales> ")?;
        // A command below a statement without semicolon is not taken for SQL.
        terminal.press("SELECT 1\r")?;
        terminal.see("…> ")?;
        terminal.press(".tables\r")?;
        terminal.see("has no semicolon")?;
        terminal.see("sales> ")?;
        // The arrow up brings the last line back.
        terminal.press("SELECT 6 * 7 AS six;\r")?;
        terminal.see("  42\r\n")?;
        terminal.press("\u{1b}[A")?;
        terminal.see("SELECT 6 * 7 AS six;")?;
        terminal.press("\r")?;
        terminal.see("  42\r\n")?;

        terminal.press(".quit\r")?;
        assert!(terminal.shell.wait()?.success());
        let history = std::fs::read_to_string(home.path().join(".martlet_history"))?;
        assert!(history.contains("SELECT 6 * 7 AS six;"), "{history}");
        Ok(())
    }

    #[test]
    fn an_interrupt_stops_the_statement_and_ctrl_d_leaves() -> Result {
        let home = tempfile::tempdir()?;
        let mut terminal = Terminal::start(home.path(), &[])?;
        terminal.see("martlet> ")?;
        // A million different numbers, and much to do for each.
        let doubled = (0..20).map(|bit| format!("INSERT INTO t SELECT n + {} FROM t;", 1 << bit));
        let doubled = doubled.collect::<Vec<_>>().join(" ");
        terminal.press(&format!("CREATE TABLE t AS SELECT 0 AS n; {doubled}\r"))?;
        terminal.see("(524,288 rows")?;
        terminal.see("martlet> ")?;
        terminal.press("SELECT sum(length(upper(repeat(n::text, 4000)))) FROM t;\r")?;
        terminal.see("FROM t;")?;
        thread::sleep(Duration::from_millis(300));
        // As the terminal does for Ctrl-C while the shell does not read keys.
        kill_process(Pid::from_child(&terminal.shell), Signal::INT)?;
        terminal.see("error[57014]: the query was cancelled")?;
        terminal.see("martlet> ")?;
        terminal.press("SELECT count(*) FROM t;\r")?;
        terminal.see("1,048,576")?;
        terminal.see("martlet> ")?;
        terminal.press("\u{4}")?;
        assert!(terminal.shell.wait()?.success());
        Ok(())
    }
}
