//! The values of each option and argument, as Tab offers them.
//!
//! Rooms and users come from files on this machine: the lines that the user typed in the chat, the users that
//! they verified, and the history of a server here. Tab asks no server: that would log the user in at each key.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use clap::{Arg, Command, ValueHint};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};

use super::context::TabContext;
use super::servers::{self, TabServer};
use crate::cli::own_server;
use crate::client;
use crate::discovery::{all_interfaces, own_addresses};
use crate::limits::MAX_TAB_NAMES;
use crate::name::LOBBY;
use crate::store::NamesInUse;

/// The id of the candidate that stands for files.
pub(super) const FILES: &str = "files";

/// The id of the candidate that stands for directories.
pub(super) const FOLDERS: &str = "folders";

/// A kind of values of an option or argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Values {
    Files,
    Folders,
    /// Hosts of servers.
    Hosts,
    /// Names of servers.
    Servers,
    /// Keys that the user has accepted.
    Keys,
    OwnAddresses,
    Interfaces,
    Rooms,
    /// Rooms of the server on this machine.
    OwnRooms,
    /// Users of the server on this machine.
    OwnUsers,
    Recipients,
    /// The word that removes a bound.
    Off,
}

/// A value, and what it means.
type Value = (String, String);

/// Gives each option and argument its values. Those with a list of valid values have them already.
pub(super) fn attach(cli: Command, context: &Arc<TabContext>) -> Command {
    let attach_to = |command: &str, arg: Arg| match kind(command, &arg) {
        Some(kind) => arg.add(completer(kind, context)),
        None => arg,
    };
    let topics: Vec<String> = cli.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    cli.mut_args(|arg| attach_to("", arg)).mut_subcommands(|command| {
        let name = command.get_name().to_owned();
        let command = command.mut_args(|arg| match (name.as_str(), arg.get_id().as_str()) {
            ("man", "subcommand") => arg.add(self::topics(topics.clone())),
            (name, _) => attach_to(name, arg),
        });
        command.mut_subcommands(|inner| inner.mut_args(|arg| attach_to(&name, arg)))
    })
}

fn kind(command: &str, arg: &Arg) -> Option<Values> {
    let is_bound =
        || arg.get_value_names().is_some_and(|names| names.iter().any(|name| name.ends_with("|off")));
    Some(match (command, arg.get_id().as_str()) {
        _ if arg.get_value_hint() == ValueHint::FilePath => Values::Files,
        _ if arg.get_value_hint() == ValueHint::DirPath => Values::Folders,
        ("serve" | "invite", "host") | (_, "advertise") => Values::OwnAddresses,
        (_, "host") => Values::Hosts,
        (_, "server") | ("trust", "name") => Values::Servers,
        // The key for `trust` must come from the administrator, not from the network or this machine.
        (_, "fingerprint") if arg.get_long().is_some() => Values::Keys,
        (_, "interface") => Values::Interfaces,
        ("export", "room") => Values::OwnRooms,
        ("export", "with") | ("forget", "who") => Values::OwnUsers,
        (_, "room") => Values::Rooms,
        ("send", "to") => Values::Recipients,
        _ if is_bound() => Values::Off,
        _ => return None,
    })
}

fn completer(kind: Values, context: &Arc<TabContext>) -> ArgValueCompleter {
    let context = Arc::clone(context);
    ArgValueCompleter::new(move |current: &OsStr| {
        let Some(current) = current.to_str() else { return Vec::new() };
        // The library also asks for an argument's values while an option is typed.
        if current.starts_with('-') {
            return Vec::new();
        }
        let whole = |id: &str| vec![CompletionCandidate::new("").id(Some(id.to_owned()))];
        match kind {
            Values::Files => whole(FILES),
            Values::Folders => whole(FOLDERS),
            kind => candidates(current, values(kind, current, &context)),
        }
    })
}

/// Hosts, for a word that can only be one.
pub(super) fn host_alone(context: &Arc<TabContext>) -> ArgValueCompleter {
    let context = Arc::clone(context);
    ArgValueCompleter::new(move |current: &OsStr| match current.to_str() {
        Some(current)
            if current.starts_with(|c: char| c.is_ascii_digit()) || current.contains(['.', ':']) =>
        {
            let hosts = hosts(&servers::servers(&context));
            candidates(current, hosts.into_iter().filter(|(host, _)| host.contains(['.', ':'])).collect())
        }
        _ => Vec::new(),
    })
}

/// Subcommands with what they do.
pub(super) fn topics(names: Vec<String>) -> ArgValueCompleter {
    let cli = crate::cli::args::definition();
    let about = move |name: &String| {
        let about = cli.find_subcommand(name).and_then(Command::get_about);
        (name.clone(), about.map(ToString::to_string).unwrap_or_default())
    };
    let topics: Vec<Value> = names.iter().map(about).collect();
    ArgValueCompleter::new(move |current: &OsStr| candidates(&current.to_string_lossy(), topics.clone()))
}

/// The candidates among `values`, in their order.
fn candidates(current: &str, values: Vec<Value>) -> Vec<CompletionCandidate> {
    let mut candidates: Vec<CompletionCandidate> = Vec::new();
    for (place, (value, help)) in values.into_iter().enumerate() {
        let is_new = || candidates.iter().all(|known| known.get_value() != OsStr::new(&value));
        if value.starts_with(current) && is_new() {
            let help = (!help.is_empty()).then(|| help.into());
            candidates.push(CompletionCandidate::new(value).help(help).display_order(Some(place)));
        }
    }
    candidates
}

fn values(kind: Values, current: &str, context: &TabContext) -> Vec<Value> {
    match kind {
        Values::Files | Values::Folders => Vec::new(),
        Values::Hosts => hosts(&servers::servers(context)),
        Values::Servers => server_names(current, &servers::servers(context)),
        Values::Keys => {
            let key = |server: TabServer| Some((server.key.clone()?, server.description()));
            servers::joined().into_iter().filter_map(key).collect()
        }
        Values::OwnAddresses => {
            let own = own_addresses().unwrap_or_default().into_iter();
            own.map(|ip| (ip.to_string(), "an address of this machine".to_owned())).collect()
        }
        Values::Interfaces => all_interfaces()
            .unwrap_or_default()
            .into_iter()
            .map(|(link, _)| (link.name, link.addrs.first().map(ToString::to_string).unwrap_or_default()))
            .collect(),
        Values::Rooms => rooms(current, remembered_rooms(context)),
        Values::OwnRooms => rooms(current, in_history(context).rooms),
        Values::OwnUsers => named(in_history(context).users, "a user"),
        Values::Recipients => recipients(context),
        Values::Off => vec![("off".into(), "no limit".into())],
    }
}

fn hosts(servers: &[TabServer]) -> Vec<Value> {
    let of = |server: &TabServer| {
        let help = server.description();
        server.hosts.iter().map(|host| (host.clone(), help.clone())).collect::<Vec<_>>()
    };
    servers.iter().flat_map(of).collect()
}

/// Each server by the first of its names that starts with `current`.
fn server_names(current: &str, servers: &[TabServer]) -> Vec<Value> {
    let of = |server: &TabServer| {
        let name = server.names(servers).into_iter().find(|name| name.starts_with(current))?;
        Some((name, server.description()))
    };
    servers.iter().filter_map(of).collect()
}

/// Rooms, with the `#` only if it was typed: a shell takes an unquoted one for a comment.
fn rooms(current: &str, rooms: Vec<String>) -> Vec<Value> {
    let all = [LOBBY.to_owned()].into_iter().chain(rooms);
    let shown = |room: String| match current.starts_with('#') {
        true => room,
        false => room.trim_start_matches('#').to_owned(),
    };
    named(all.map(shown), "a room")
}

fn recipients(context: &TabContext) -> Vec<Value> {
    let own = in_history(context);
    let remembered = client::remembered_names();
    let mut recipients: Vec<Value> =
        vec![("all".into(), "everyone, in the lobby".into()), ("server".into(), "for commands".into())];
    recipients.extend(named(remembered.users.into_iter().chain(own.users), "a user"));
    recipients.extend(named(remembered.rooms.into_iter().chain(own.rooms), "a room"));
    recipients
}

fn remembered_rooms(context: &TabContext) -> Vec<String> {
    client::remembered_names().rooms.into_iter().chain(in_history(context).rooms).collect()
}

/// The rooms and users of the server on this machine; none if this user may not read its history.
fn in_history(context: &TabContext) -> NamesInUse {
    let open = |path: &Path| NamesInUse::read(path, MAX_TAB_NAMES);
    own_server::history(context.settings().data_dir.clone(), "export", open).unwrap_or_default()
}

fn named(names: impl IntoIterator<Item = String>, help: &str) -> Vec<Value> {
    names.into_iter().map(|name| (name, help.to_owned())).collect()
}
