//! A real shell in a terminal, in which tests press Tab.

use std::fs;
use std::path::PathBuf;

use super::lan::Host;
use super::terminal::{Home, Key, LANCHAT, Launch, Terminal};
use super::tools::has_tools;
use super::tree::root;

/// What the shell shows when it is ready for a line.
const PROMPT: &str = "READY>";

/// What the tests type after Tab: the shell shows it once it has completed.
const AFTER: &str = "@@";

/// Deletes the line, in all of them.
const CTRL_U: &str = "\x15";

/// A file and a folder in the shell's directory, which only files and folders may offer.
pub const FILE: &str = "a-file.txt";
pub const FOLDER: &str = "a-folder";

const BASH: &str = r#"PS1='READY> '
bind 'set bell-style none'
bind 'set show-all-if-ambiguous on'
bind 'set page-completions off'
bind 'set completion-query-items 1000'
bind 'set enable-bracketed-paste off'
source "$SCRIPTS/lanchat.bash"
"#;

/// The list of words stays on the screen below which the shell repeats its prompt.
const ZSH: &str = r#"PROMPT='READY> '
unset zle_bracketed_paste
unsetopt ALWAYS_LAST_PROMPT BEEP PROMPT_SP AUTO_MENU LIST_AMBIGUOUS
LISTMAX=1000
fpath=("$SCRIPTS" $fpath)
autoload -U compinit
compinit -u -d "$HOME/zcompdump"
"#;

const FISH: &str = r#"function fish_prompt; echo -n 'READY> '; end
set -g fish_greeting
set -g fish_autosuggestion_enabled 0
source "$SCRIPTS/lanchat.fish"
"#;

/// The shells whose scripts ask lanchat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Bash,
    Zsh,
    Fish,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Bash, Self::Zsh, Self::Fish];

    fn program(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        }
    }
}

/// A shell that knows lanchat's completions and waits for a line.
pub struct Shell {
    pub kind: Kind,
    pub home: Home,
    terminal: Terminal,
}

impl Shell {
    /// Starts a shell with a home of its own, which `furnish` may fill. On `host`, or else on this machine.
    /// `None` if the shell is not installed.
    pub fn start(kind: Kind, host: Option<&Host>, furnish: impl FnOnce(&Home)) -> Option<Self> {
        if !has_tools(&[(kind.program(), "--version")]) {
            return None;
        }
        let home = Home::new();
        let bin = home.path().join("bin");
        fs::create_dir_all(home.state()).unwrap();
        fs::create_dir_all(&bin).unwrap();
        fs::create_dir(home.path().join(FOLDER)).unwrap();
        fs::write(home.path().join(FILE), "").unwrap();
        // It answers Tab, and notes its arguments instead of doing anything else.
        let recorder = format!(
            "#!/bin/sh\nif [ \"$1\" = completions ]; then exec '{LANCHAT}' \"$@\"; fi\n\
             printf '%s\\n' \"$@\" > \"$HOME/unfinished\" && mv \"$HOME/unfinished\" \"$HOME/arguments\"\n"
        );
        let program = bin.join("lanchat");
        fs::write(&program, recorder).unwrap();
        make_executable(&program);
        furnish(&home);
        let (name, text, args): (_, _, &[&str]) = match kind {
            Kind::Bash => (".rc", BASH, &["--noprofile", "--rcfile", ".rc", "-i"]),
            Kind::Zsh => (".zshrc", ZSH, &["-d", "-i"]),
            Kind::Fish => (".rc", FISH, &["--no-config", "-i", "-C", "source .rc"]),
        };
        fs::write(home.path().join(name), text).unwrap();
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let launch = Launch::program(kind.program(), args)
            .size(60, 160)
            .env("PATH", &format!("{}:/usr/bin:/bin", text(bin)))
            .env("ZDOTDIR", &text(home.path().to_owned()))
            .env("SCRIPTS", &text(root().join("completions")));
        let launch = if host.is_none() { launch.env("LANCHAT_NO_DISCOVERY", "1") } else { launch };
        let terminal = match host {
            Some(host) => host.run(|| launch.start(&home)),
            None => launch.start(&home),
        };
        terminal.wait_for(PROMPT);
        Some(Self { kind, home, terminal })
    }

    /// Types a line and Tab, and returns what the shell writes after it. Then clears the line.
    pub fn tab(&mut self, line: &str) -> String {
        let start = self.terminal.raw().len();
        self.terminal.type_text(line);
        self.terminal.key(Key::Tab);
        if self.kind == Kind::Fish {
            // The first Tab shows four rows of a long list.
            self.terminal.key(Key::Tab);
        }
        self.terminal.type_text(AFTER);
        let written = self.terminal.wait_for_written(start, AFTER);
        let cleared = self.terminal.raw().len();
        // Ctrl-C right after a key can make bash forget its completions.
        self.terminal.type_text(CTRL_U);
        self.terminal.key(Key::Enter);
        self.terminal.wait_for_written(cleared, PROMPT);
        // Fish repaints in pieces, each from a carriage return on: between the typed part of a word and its rest, too.
        written.replace('\r', "")
    }

    /// The words that the shell wrote besides the parts of `line`.
    pub fn added(written: &str, line: &str) -> Vec<String> {
        let written = written.replace(AFTER, "");
        let words =
            written.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| *word != PROMPT);
        words.filter(|word| !line.contains(word)).map(str::to_owned).collect()
    }

    /// Types a line, Tab and Enter, and returns the arguments that lanchat gets.
    pub fn arguments(&mut self, line: &str) -> Vec<String> {
        let noted = self.home.path().join("arguments");
        // Missing at first.
        let _ = fs::remove_file(&noted);
        let start = self.terminal.raw().len();
        self.terminal.type_text(line);
        self.terminal.key(Key::Tab);
        self.terminal.key(Key::Enter);
        self.terminal.wait_for_written(start, PROMPT);
        let arguments = super::soon::until(|| fs::read_to_string(&noted).ok());
        arguments.lines().map(str::to_owned).collect()
    }
}

fn make_executable(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
