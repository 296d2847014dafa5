//! The common parts of the table's rows: the people who may give a command, and the places.

use super::{Command, Place};
use Place::{Console, Prompt, Wire};

/// For everyone, wherever commands are typed.
pub(super) const ANYWHERE: Command = Command {
    name: "",
    aliases: &[],
    usage: "",
    help: "",
    operator: false,
    places: &[Prompt, Wire, Console],
    read: |_| None,
};
pub(super) const OPERATORS: Command = Command { operator: true, ..ANYWHERE };
pub(super) const CLIENTS: Command = Command { places: &[Prompt, Wire], ..ANYWHERE };
pub(super) const PROMPT: Command = Command { places: &[Prompt], ..ANYWHERE };
/// Where the prompt has a command of its own by this name.
pub(super) const SERVER: Command = Command { places: &[Wire, Console], ..ANYWHERE };
/// Where the prompt has a command of its own by this name, and the console has none.
pub(super) const WIRE: Command = Command { places: &[Wire], ..ANYWHERE };
pub(super) const TERMINALS: Command = Command { places: &[Prompt, Console], ..ANYWHERE };
