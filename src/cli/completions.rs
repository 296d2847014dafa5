//! `lanchat completions`: the scripts with which shells complete lanchat's command line.

use std::io::{self, Write};

use super::args::{self, CompletionsArgs};

pub(crate) fn run(args: &CompletionsArgs) -> io::Result<()> {
    // Generating panics if a write fails, as on a closed pipe.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::definition(), "lanchat", &mut script);
    io::stdout().lock().write_all(&script)
}
