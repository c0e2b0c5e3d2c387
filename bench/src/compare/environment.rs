//! The Python environment of the peers: made once under `bench/peers/venv`, from pinned requirements.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::peer::Python;
use crate::{Result, context};

/// Python with the peers installed. Requirements that cannot be installed are told to `complain`; what
/// needs them will not start. An interpreter that is given is taken as it is.
pub(crate) fn prepare(
    folder: &Path,
    given: Option<&Path>,
    mut complain: impl FnMut(&str),
) -> Result<Python> {
    let runner = folder.join("runner.py");
    if !runner.is_file() {
        return Err(format!("no {}: name its folder with --peers", runner.display()).into());
    }
    if let Some(program) = given {
        return Ok(Python { program: program.to_owned(), runner });
    }
    let venv = folder.join("venv");
    let program = venv.join("bin").join("python");
    let requirements = folder.join("requirements.txt");
    let wanted = fs::read_to_string(&requirements)
        .map_err(context(format!("cannot read {}", requirements.display())))?;
    let installed = venv.join("installed.txt");
    if fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(Python { program, runner });
    }
    if !program.exists() {
        succeed(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    let mut failed = false;
    for requirement in lines(&wanted) {
        let mut install = Command::new(&program);
        install.args(["-m", "pip", "install", "--quiet", requirement]);
        if let Err(error) = succeed(&mut install) {
            complain(&format!("{requirement}: {error}"));
            failed = true;
        }
    }
    if !failed {
        fs::write(&installed, &wanted)
            .map_err(context(format!("cannot write {}", installed.display())))?;
    }
    Ok(Python { program, runner })
}

fn lines(requirements: &str) -> impl Iterator<Item = &str> {
    requirements.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Runs a command; the last line that it complained with is the error.
fn succeed(command: &mut Command) -> Result<()> {
    let program = PathBuf::from(command.get_program());
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(context(format!("cannot start {}", program.display())))?;
    if output.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&output.stderr);
    let last = message.lines().rfind(|line| !line.trim().is_empty());
    Err(last.unwrap_or("failed without a word").trim().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_are_lines_without_comments() {
        assert_eq!(lines("# all\na==1\n\n b==2 \n").collect::<Vec<_>>(), ["a==1", "b==2"]);
    }

    #[test]
    fn a_folder_without_a_runner_is_named() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let error = prepare(folder.path(), None, |_| ()).expect_err("no runner").to_string();
        assert!(error.contains("runner.py"), "{error}");
        Ok(())
    }

    #[test]
    fn a_given_interpreter_is_taken_as_it_is() -> Result<()> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join("runner.py"), "")?;
        let python = prepare(folder.path(), Some(Path::new("/any/python")), |_| ())?;
        assert_eq!(python.program, Path::new("/any/python"));
        Ok(())
    }

    #[test]
    fn a_command_that_fails_says_why() {
        let error = succeed(&mut Command::new("/no/such/program")).expect_err("there is none");
        assert!(error.to_string().contains("/no/such/program"));
        let mut command = Command::new("sh");
        command.args(["-c", "echo first >&2; echo why >&2; exit 1"]);
        assert_eq!(succeed(&mut command).expect_err("exit 1").to_string(), "why");
    }
}
