//! `lanchat completions`: the scripts with which shells complete lanchat's command line, and the answers to the
//! questions of these scripts.
//!
//! The scripts of bash, zsh and fish know no words. At each Tab they pass the words so far to this program,
//! which knows servers, rooms and users, and which may be newer than the script. They only insert what it
//! prints: text from the network never becomes shell code. PowerShell and elvish get the library's scripts,
//! which know subcommands and options: its scripts that ask would have PowerShell evaluate the half-typed line.

mod answer;
mod bash_line;
mod context;
mod format;
mod servers;
mod values;

use std::io::{self, Write};

use clap_complete::Shell;

use super::args::{self, CompletionsArgs};

/// The files that packages install.
const BASH: &str = include_str!("../../../completions/lanchat.bash");
const ZSH: &str = include_str!("../../../completions/_lanchat");
const FISH: &str = include_str!("../../../completions/lanchat.fish");

/// Prints a script, or answers its question.
pub(crate) fn run(args: &CompletionsArgs) -> io::Result<()> {
    let output: Vec<u8> = match (args.shell, args.words.as_slice()) {
        (Shell::Bash, []) => BASH.into(),
        (Shell::Zsh, []) => ZSH.into(),
        (Shell::Fish, []) => FISH.into(),
        (shell, []) => {
            // Generating panics if a write fails, as on a closed pipe.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut args::definition(), "lanchat", &mut script);
            script
        }
        (Shell::Bash, [line, typed, ..]) => format::bash(line, typed).into_bytes(),
        (Shell::Zsh, words) => format::zsh(words).into_bytes(),
        (Shell::Fish, words) => format::fish(words).into_bytes(),
        _ => Vec::new(),
    };
    io::stdout().lock().write_all(&output)
}
