//! `lanchat forget`: erases a person from the server on this machine, after a question.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::args::{CommonArgs, ForgetArgs};
use super::exit::ExitError;
use super::logging;
use super::own_server;
use super::rescue::{counted, failure};
use super::values::LogLevel;
use crate::client;
use crate::server;
use crate::store::PersonData;
use crate::text::safe_line;

pub(crate) fn run(
    common: &CommonArgs,
    args: &ForgetArgs,
    data_dir: Option<PathBuf>,
) -> Result<(), ExitError> {
    logging::start(common, LogLevel::Error, io::stderr)?;
    let dir = own_server::directory(args.data_dir.clone().or(data_dir))?;
    if !args.yes && !client::can_ask() {
        return Err(ExitError::usage("forget erases for good; confirm it with --yes"));
    }
    let agree = |person: &PersonData| args.yes || ask(person);
    let forgotten = server::forget(&dir, &args.who, agree).map_err(|error| failure(error, "forget WHO"))?;
    let text = match forgotten {
        Some(person) => summary(&person, &dir),
        None => "nothing was erased\n".to_owned(),
    };
    Ok(io::stdout().write_all(text.as_bytes())?)
}

fn ask(person: &PersonData) -> bool {
    let (whose, content) = (whose(person), content(person));
    client::says_yes_here(&format!("Erase {whose}: {content}? This cannot be undone. [y/N] "))
}

/// `alice, bob (SHA256:...)`.
fn whose(person: &PersonData) -> String {
    match person.names.as_slice() {
        [] => person.key.to_string(),
        names => format!("{} ({})", safe_line(&names.join(", ")), person.key),
    }
}

fn content(person: &PersonData) -> String {
    let mut parts = vec![
        counted(person.messages, "message"),
        format!("{} from and to them", counted(person.direct, "direct message")),
        counted(person.rooms, "membership"),
        counted(person.topics, "topic"),
    ];
    parts.push(counted(person.names.len() as u64, "name"));
    parts.extend(person.is_operator.then(|| "their rights as an operator".to_owned()));
    parts.extend(person.is_member.then(|| "their admission to the closed server".to_owned()));
    parts.join(", ")
}

fn summary(person: &PersonData, dir: &Path) -> String {
    let mut text = format!("erased {}: {}, and read positions\n", whose(person), content(person));
    if person.sanctions > 0 {
        text += &format!(
            "{} of this key stay; lift them with /unban and /unmute\n",
            counted(person.sanctions, "ban or mute")
        );
    }
    text += "messages of others that mention them stay, as do backups, exports, and what clients have\n";
    for copy in server::old_copies(dir) {
        text += &format!("{} may still have them; delete it\n", copy.display());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::Fingerprint;

    #[test]
    fn the_question_and_the_report_name_the_person_and_all_that_goes() {
        let person = PersonData {
            key: Fingerprint::new([7; 32]),
            names: vec!["alice".into(), "al\u{1b}".into()],
            messages: 3,
            direct: 1,
            rooms: 0,
            topics: 1,
            is_operator: true,
            is_member: false,
            sanctions: 1,
        };
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("replaced-2026-11-26")).unwrap();
        let text = summary(&person, dir.path());
        let words = [
            "erased alice, al\u{fffd} (SHA256:",
            ": 3 messages, 1 direct message from and to them, 0 memberships, 1 topic, 2 names, their rights as an \
             operator, and read positions\n",
            "1 ban or mute of this key stay",
            "replaced-2026-11-26 may still have them",
        ];
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    }
}
