//! Edits a text in the user's editor, which has the terminal until it ends.

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use super::MAX_INPUT_BYTES;
use crate::encoding;
use crate::files;

/// How often to look whether the editor has ended.
const PAUSE: Duration = Duration::from_millis(30);

/// Runs `$VISUAL`, `$EDITOR` or the system's editor on the text, and returns the new text. Ends the editor
/// early if `is_stopping`.
///
/// # Errors
/// Why there is no new text, in one line.
pub(super) fn edit(text: &str, is_stopping: impl Fn() -> bool) -> Result<String, String> {
    let file = TextFile::create(text).map_err(|error| format!("cannot create a file to edit: {error}"))?;
    let command = command_line();
    let mut child = start(&command, &file.0).map_err(|error| {
        format!("cannot start the editor \"{command}\": {error}; name another one in $VISUAL or $EDITOR")
    })?;
    let status = wait(&mut child, is_stopping).map_err(|error| format!("lost the editor: {error}"))?;
    if !status {
        return Err(format!("the editor \"{command}\" failed, so the line is unchanged"));
    }
    let is_big = fs::metadata(&file.0).is_ok_and(|file| file.len() > MAX_INPUT_BYTES as u64);
    if is_big {
        return Err("the edited text is longer than 1 MiB, so the line is unchanged; shorten it".into());
    }
    edited(&file.0)
}

fn edited(path: &Path) -> Result<String, String> {
    match fs::read(path).and_then(|bytes| Ok(encoding::decode(&bytes)?.0)) {
        Ok(text) => Ok(clean(&text)),
        Err(error) => Err(format!("cannot read the edited text, so the line is unchanged: {error}")),
    }
}

fn command_line() -> String {
    let chosen = ["VISUAL", "EDITOR"].iter().filter_map(|name| env::var(name).ok());
    let usual = if cfg!(windows) { "notepad" } else { "vi" };
    chosen
        .map(|command| command.trim().to_owned())
        .find(|command| !command.is_empty())
        .unwrap_or(usual.into())
}

/// Starts it as other programs do: the variable may hold options, so a shell reads it.
#[cfg(unix)]
fn start(command: &str, file: &Path) -> std::io::Result<Child> {
    Command::new("/bin/sh").arg("-c").arg(format!("{command} \"$1\"")).arg("sh").arg(file).spawn()
}

/// Windows has no shell that reads options safely. A path with spaces may stand without quotes.
#[cfg(windows)]
fn start(command: &str, file: &Path) -> std::io::Result<Child> {
    let words = match Path::new(command).is_file() {
        true => vec![command.to_owned()],
        false => crate::text::command_words(command).unwrap_or_default(),
    };
    let (program, arguments) = words.split_first().ok_or(std::io::ErrorKind::NotFound)?;
    let start = |program: &str| Command::new(program).args(arguments).arg(file).spawn();
    match start(program) {
        // Editors that are scripts, such as `code`, are found only by their whole name.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            start(&format!("{program}.cmd")).map_err(|_| error)
        }
        started => started,
    }
}

/// Waits for the editor's end; returns whether it succeeded.
fn wait(child: &mut Child, is_stopping: impl Fn() -> bool) -> std::io::Result<bool> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.success());
        }
        if is_stopping() {
            child.kill()?;
            child.wait()?;
            return Ok(false);
        }
        thread::sleep(PAUSE);
    }
}

/// Removes line ends of other systems, control characters, and the line end that editors add.
fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let text: String = text.chars().filter(|c| !c.is_control() || ['\n', '\t'].contains(c)).collect();
    text.trim_end_matches('\n').to_owned()
}

/// A file that only its owner can read, removed at the end.
struct TextFile(PathBuf);

impl TextFile {
    fn create(text: &str) -> std::io::Result<Self> {
        let mut unique = [0; 8];
        getrandom::fill(&mut unique).map_err(std::io::Error::other)?;
        let unique: String = unique.iter().map(|byte| format!("{byte:02x}")).collect();
        let path = env::temp_dir().join(format!("lanchat-{unique}.txt"));
        let mut file = files::create_private(&path)?;
        let created = Self(path);
        file.write_all(text.as_bytes())?;
        if !text.is_empty() {
            file.write_all(b"\n")?;
        }
        Ok(created)
    }
}

impl Drop for TextFile {
    fn drop(&mut self) {
        // If the editor has removed it, there is nothing left to remove.
        let _ = fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edited_text_has_no_line_end_and_no_control_characters() {
        assert_eq!(clean("one\r\n\ttwo\u{1b}[2J\n\n"), "one\n\ttwo[2J");
        assert_eq!(clean(""), "");
    }

    #[cfg(windows)]
    #[test]
    fn an_editor_may_be_a_script_and_have_spaces_in_its_path() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("with spaces");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("edit.cmd"), "@echo %1 two> %2\r\n").unwrap();
        let text = dir.path().join("text");
        for command in [folder.join("edit.cmd"), folder.join("edit")] {
            let mut child = start(&format!("\"{}\" one", command.display()), &text).unwrap();
            assert!(wait(&mut child, || false).unwrap());
            assert_eq!(fs::read_to_string(&text).unwrap().trim(), "one two");
            fs::remove_file(&text).unwrap();
        }
        assert_eq!(start("no-such-editor", &text).unwrap_err().kind(), std::io::ErrorKind::NotFound);
    }

    #[test]
    fn an_edited_text_is_the_same_however_the_editor_saved_it() {
        let file = TextFile::create("").unwrap();
        for saved in encoding::saved("Gr\u{fc}\u{df}e\nin two lines\n") {
            fs::write(&file.0, &saved).unwrap();
            assert_eq!(edited(&file.0).unwrap(), "Gr\u{fc}\u{df}e\nin two lines", "{saved:?}");
        }
        fs::write(&file.0, b"Gr\xFC\xDFe").unwrap();
        let why = "cannot read the edited text, so the line is unchanged: line 1 is not UTF-8 text; save the file as UTF-8";
        assert_eq!(edited(&file.0).unwrap_err(), why);
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_private_and_gone_afterwards() {
        use std::os::unix::fs::PermissionsExt as _;
        let file = TextFile::create("secret").unwrap();
        let path = file.0.clone();
        assert_eq!(fs::read_to_string(&path).unwrap(), "secret\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        drop(file);
        assert!(!path.exists());
    }
}
