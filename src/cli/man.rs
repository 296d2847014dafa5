//! `lanchat man`: the man pages, one for the program and one for each subcommand.
//!
//! Options come from the command line's definition and exit statuses from [`Exit`](super::exit::Exit); `pages`
//! has the rest.

use std::io::{self, IsTerminal as _, Write};
use std::process::{self, Stdio};

use clap::{Arg, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::args::{self, ManArgs, SUBCOMMANDS};
use super::limits_page;
use super::log_events;
use super::page_examples;
use super::page_programs;
use super::page_statuses;
use super::page_text;
use super::pages::{self, Paragraph};

/// Prints a page's source, or shows the page if standard output is a terminal.
pub(crate) fn run(args: &ManArgs) -> io::Result<()> {
    let page = page(args.subcommand.as_deref())?;
    let stdout = io::stdout();
    if !stdout.is_terminal() {
        return stdout.lock().write_all(&page);
    }
    if is_shown_by_man(&page) {
        return Ok(());
    }
    stdout.lock().write_all(page_text::plain(&String::from_utf8_lossy(&page), PLAIN_COLUMNS).as_bytes())
}

/// The width of a page without `man`.
const PLAIN_COLUMNS: usize = 80;

/// Has the system's `man` show the page; false without a `man`, or if it fails.
fn is_shown_by_man(page: &[u8]) -> bool {
    let man =
        process::Command::new("man").args(["-l", "-"]).stdin(Stdio::piped()).stderr(Stdio::null()).spawn();
    let Ok(mut man) = man else { return false };
    if let Some(mut input) = man.stdin.take() {
        // A reader who leaves early closes the pipe.
        let _ = input.write_all(page);
    }
    man.wait().is_ok_and(|status| status.success())
}

/// Returns the page of `subcommand`, or the main page, in roff format.
pub(crate) fn page(subcommand: Option<&str>) -> io::Result<Vec<u8>> {
    let mut cli = args::definition();
    cli.build();
    let command = match subcommand {
        Some(name) => cli
            .find_subcommand(name)
            .ok_or_else(|| io::Error::other(format!("there is no subcommand {name}")))?,
        None => &cli,
    };
    let mut page = Vec::new();
    definition(command, &mut page)?;
    let mut rest = Roff::new();
    if subcommand.is_some() {
        command.get_subcommands().for_each(|inner| inner_command(inner, &mut rest));
    }
    environment(command, &mut rest);
    entries("FILES", pages::files(subcommand), &mut rest);
    if subcommand == Some("serve") {
        entries("SIGNALS", pages::signals(), &mut rest);
        entries("SERVICE", pages::service(), &mut rest);
        entries("LIMITS", limits_page::paragraphs(), &mut rest);
    }
    if subcommand.is_none() {
        entries("TRUST", pages::trust(), &mut rest);
        entries("DELIVERY AND HISTORY", pages::durability(), &mut rest);
        entries("PROMPT COMMANDS", pages::prompt_commands(), &mut rest);
        entries("JSON LINES", page_programs::programs(), &mut rest);
    }
    if let Some("serve" | "backup" | "restore" | "repair" | "forget") = subcommand {
        entries("BACK UP, RESTORE, MOVE, UPGRADE", pages::rescue(), &mut rest);
    }
    match subcommand {
        Some("serve") => {
            entries("LOG", log_events::log_format(), &mut rest);
            entries("LOG EVENTS", log_events::paragraphs(), &mut rest);
            entries("METRICS", pages::metrics(), &mut rest);
        }
        Some("status") => entries("NUMBERS", pages::numbers(), &mut rest),
        _ => {}
    }
    entries("EXIT STATUS", page_statuses::exit_statuses(subcommand), &mut rest);
    examples(page_examples::examples(subcommand), &mut rest);
    see_also(subcommand, &mut rest);
    rest.to_writer(&mut page)?;
    Ok(tidy(&page).into_bytes())
}

/// Longest line of a page's source, in bytes, as `mandoc -T lint` demands.
const MAX_LINE_BYTES: usize = 80;

/// Breaks long lines of text and removes trailing blanks; the rendered page stays the same.
fn tidy(page: &[u8]) -> String {
    let mut tidied = String::new();
    for line in String::from_utf8_lossy(page).lines() {
        let mut room = MAX_LINE_BYTES;
        let is_text = !line.starts_with(['.', '\'']);
        for word in line.trim_end().split(' ') {
            // A word that looks like a roff request must not start a line.
            let breaks = is_text && word.len() + 1 > room && !word.starts_with(['.', '\'']);
            if breaks {
                tidied.pop();
                tidied.push('\n');
                room = MAX_LINE_BYTES;
            }
            tidied += word;
            tidied.push(' ');
            room = room.saturating_sub(word.len() + 1);
        }
        tidied.pop();
        tidied.push('\n');
    }
    tidied
}

/// Renders the sections that follow from the command line's definition.
fn definition(command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    let source = concat!("lanchat ", env!("CARGO_PKG_VERSION"));
    let name = command.get_display_name().unwrap_or("lanchat");
    let man = Man::new(command.clone())
        .title(name.to_uppercase())
        .date(pages::DATE)
        .source(source)
        .manual("User Commands");
    man.render_title(page)?;
    man.render_name_section(page)?;
    let mut synopsis = Roff::new();
    synopsis.control("SH", ["SYNOPSIS"]);
    let is_main = command.get_name() == "lanchat";
    if is_main || !command.has_subcommands() {
        synopsis.text([roman(synopsis_of(command))]);
    }
    for (place, inner) in command.get_subcommands().enumerate().filter(|_| !is_main) {
        if place > 0 {
            synopsis.control("br", []);
        }
        synopsis.text([roman(synopsis_of(inner))]);
    }
    synopsis.to_writer(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    if is_main {
        man.render_subcommands_section(page)?;
    }
    Ok(())
}

/// `lanchat send [OPTIONS] [--to TO] ... [TEXT|-]`: the options of the command itself with their values, in the order
/// of its help; those that all commands have are `OPTIONS`.
fn synopsis_of(command: &Command) -> String {
    let mut words = vec![command.get_bin_name().unwrap_or("lanchat").to_owned(), "[OPTIONS]".to_owned()];
    let value = |arg: &Arg| arg.get_value_names().map(|names| names.join(" ")).unwrap_or_default();
    let own = |arg: &&Arg| !arg.is_hide_set() && !arg.is_global_set();
    for arg in command.get_arguments().filter(own) {
        let word = match (arg.get_long(), arg.get_action().takes_values()) {
            (Some("help" | "version"), _) => continue,
            // Its value may be left out, and must be joined to it.
            (Some(long), true) if arg.is_require_equals_set() => format!("--{long}[={}]", value(arg)),
            (Some(long), true) => format!("--{long} {}", value(arg)),
            (Some(long), false) => format!("--{long}"),
            (None, _) => value(arg),
        };
        let dots = if arg.get_num_args().is_some_and(|most| most.max_values() > 1) { "..." } else { "" };
        words.push(if arg.is_required_set() { word + dots } else { format!("[{word}]{dots}") });
    }
    if command.has_subcommands() {
        words.push("[COMMAND]".to_owned());
    }
    words.join(" ")
}

/// Renders a section about the subcommand of a subcommand, which has no page of its own.
fn inner_command(command: &Command, roff: &mut Roff) {
    let title = command.get_bin_name().unwrap_or_default().to_uppercase();
    roff.control("SH", [title.as_str()]);
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    let is_own = |arg: &&Arg| !arg.is_hide_set() && !arg.is_global_set() && arg.get_id() != "help";
    for (place, paragraph) in about.split("\n\n").enumerate() {
        if place > 0 {
            roff.control("PP", []);
        }
        roff.text([roman(paragraph)]);
    }
    for arg in command.get_arguments().filter(is_own) {
        roff.control("TP", []);
        roff.text([bold(arg.to_string())]);
        let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
        let default = arg.get_default_values().iter().map(|value| value.to_string_lossy()).next();
        let default = default.map_or(String::new(), |value| format!(" [default: {value}]"));
        roff.text([roman(help.replace("\n\n", " ") + &default)]);
    }
}

fn environment(command: &Command, roff: &mut Roff) {
    let variables = command.get_arguments().filter_map(variable);
    entries("ENVIRONMENT", variables.chain(pages::environment()), roff);
}

/// Describes the variable of an option.
fn variable(arg: &Arg) -> Option<Paragraph> {
    let name = arg.get_env()?.to_str()?.to_owned();
    Some((name, format!("The same as --{}.", arg.get_long()?)))
}

/// Renders a section of terms, each with a paragraph, if there are any.
fn entries(title: &str, entries: impl IntoIterator<Item = Paragraph>, roff: &mut Roff) {
    let mut entries = entries.into_iter().peekable();
    if entries.peek().is_some() {
        roff.control("SH", [title]);
    }
    for (term, text) in entries {
        roff.control("TP", []);
        roff.text([bold(term)]);
        roff.text([roman(text)]);
    }
}

/// Renders the examples: purposes, each with its command line.
fn examples(examples: &[(&str, &str)], roff: &mut Roff) {
    if !examples.is_empty() {
        roff.control("SH", ["EXAMPLES"]);
    }
    for (purpose, line) in examples {
        roff.control("TP", []);
        roff.text([roman(*purpose)]);
        roff.text([bold(*line)]);
    }
}

fn see_also(subcommand: Option<&str>, roff: &mut Roff) {
    let others = match subcommand {
        Some("serve") => [
            "",
            "-status",
            "-doctor",
            "-fingerprint",
            "-invite",
            "-export",
            "-backup",
            "-restore",
            "-repair",
            "-forget",
            "-cluster",
        ]
        .map(|name| format!("lanchat{name}"))
        .into(),
        Some("status") => ["", "-serve"].map(|name| format!("lanchat{name}")).into(),
        Some("cluster") => ["", "-serve", "-backup", "-restore"].map(|name| format!("lanchat{name}")).into(),
        Some("backup" | "restore" | "repair" | "forget") => {
            ["", "-serve", "-backup", "-restore", "-repair", "-forget"]
                .map(|name| format!("lanchat{name}"))
                .into()
        }
        Some(_) => vec!["lanchat".to_owned()],
        None => SUBCOMMANDS.iter().map(|name| format!("lanchat-{name}")).collect(),
    };
    roff.control("SH", ["SEE ALSO"]);
    let mut line = Vec::new();
    for (place, name) in others.into_iter().enumerate() {
        line.push(roman(if place == 0 { "" } else { ", " }));
        line.push(bold(name));
        line.push(roman("(1)"));
    }
    roff.text(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subcommand_has_a_page() {
        let cli = args::definition();
        let names: Vec<_> = cli.get_subcommands().map(Command::get_name).collect();
        assert_eq!(names, SUBCOMMANDS);
    }

    #[test]
    fn long_lines_are_broken_and_requests_are_not() {
        let long = format!(".TH {}\n{} \n", "word ".repeat(30).trim(), "word ".repeat(30).trim());
        let tidied = tidy(long.as_bytes());
        let lines: Vec<_> = tidied.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[1].len() < MAX_LINE_BYTES && !lines[1].ends_with(' '));
        assert_eq!(format!("{} {}", lines[1], lines[2]), "word ".repeat(30).trim());
    }

    #[test]
    fn subcommands_of_a_subcommand_are_on_its_page_and_the_others_on_pages_of_their_own() {
        let cluster = String::from_utf8(page(Some("cluster")).unwrap()).unwrap();
        for part in
            ["\nlanchat cluster new [OPTIONS] ", "\n.SH \"LANCHAT CLUSTER JOIN\"\n", "\\-\\-store\\-dir"]
        {
            assert!(cluster.contains(part), "{part}: {cluster}");
        }
        let main = String::from_utf8(page(None).unwrap()).unwrap();
        assert!(
            main.contains("\n.SH SUBCOMMANDS\n") && !main.contains("\nlanchat serve [OPTIONS]"),
            "{main}"
        );
    }

    #[test]
    fn the_prompt_commands_are_those_of_the_table() {
        let page = String::from_utf8(page(None).unwrap()).unwrap();
        assert!(page.contains("\n.SH \"PROMPT COMMANDS\"\n"));
        assert!(page.contains("\\fB/msg NAME|#ROOM TEXT\\fR\n"), "{page}");
    }

    #[test]
    fn the_limits_are_those_that_hold() {
        let page = String::from_utf8(page(Some("serve")).unwrap()).unwrap();
        assert!(page.contains("\n.SH LIMITS\n"), "{page}");
        let bound = format!("{} bytes of UTF\\-8", crate::limits::MAX_TEXT_BYTES);
        assert!(page.contains(&bound), "{page}");
    }

    #[test]
    fn every_page_reads_well_without_man() {
        for subcommand in SUBCOMMANDS.into_iter().map(Some).chain([None]) {
            let source = String::from_utf8(page(subcommand).unwrap()).unwrap();
            let text = page_text::plain(&source, PLAIN_COLUMNS);
            let is_odd = |line: &&str| line.starts_with('.') || line.contains("\\f") || line.contains("\\-");
            assert_eq!(text.lines().find(is_odd), None, "{subcommand:?}");
            assert!(text.starts_with("NAME\n       lanchat"), "{text}");
        }
    }

    #[test]
    fn every_page_has_its_sections() {
        for subcommand in SUBCOMMANDS.into_iter().map(Some).chain([None]) {
            let page = String::from_utf8(page(subcommand).unwrap()).unwrap();
            for section in ["NAME", "ENVIRONMENT", "FILES", "\"EXIT STATUS\"", "EXAMPLES"] {
                let heading = format!(".SH {section}\n");
                assert!(page.contains(&heading), "{subcommand:?} lacks {section}");
            }
        }
    }
}
