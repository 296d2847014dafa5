//! `lanchat completions`: the scripts with which shells complete lanchat's command line.

use std::io::{self, Write};

use clap_complete::Shell;

use super::args::{self, CompletionsArgs};

/// Prints the completions for the chosen shell.
pub fn run(args: &CompletionsArgs) -> io::Result<()> {
    io::stdout().lock().write_all(&script(args.shell))
}

/// Returns the script for a shell.
pub fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::definition(), "lanchat", &mut script);
    script
}
