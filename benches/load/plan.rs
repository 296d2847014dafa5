//! What to measure, and telling how far it is.

use std::io::IsTerminal;

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub clients: usize,
    pub turns: usize,
    pub flood_secs: f64,
    pub paced_secs: f64,
    pub json: bool,
}

/// Progress, for whoever waits at a terminal.
pub fn say(text: &str) {
    if std::io::stderr().is_terminal() {
        eprintln!("load: {text}");
    }
}
