//! Tab in the real bash, zsh and fish: what each word of the command line offers, and that nothing runs.

use std::fs;

use crate::support::peer::Peer;
use crate::support::server::TestServer;
use crate::support::shell::{FILE, FOLDER, Kind, Shell};
use crate::support::terminal::Home;

/// What a shell says when a completion script is wrong.
const COMPLAINTS: [&str; 6] =
    ["not found", "parse error", "no matches", "Unknown", "syntax error", "bad substitution"];

/// What a line offers.
#[derive(Clone, Copy, Debug)]
enum Offer {
    /// These words, and no files.
    Words(&'static [&'static str]),
    /// Nothing, so no files.
    Nothing,
    /// Files and folders.
    Files,
    /// Folders alone.
    Folders,
}

use Offer::{Files, Folders, Nothing, Words};

/// Lines, and what Tab offers after each.
const TABLE: [(&str, Offer); 50] = [
    ("lanchat ", Words(&["serve", "discover", "trust", "completions", "man", "help"])),
    ("lanchat ser", Words(&["serve"])),
    ("lanchat --", Words(&["--host", "--server", "--name", "--color", "--version"])),
    ("lanchat -", Words(&["--host", "--server"])),
    ("lanchat --color ", Words(&["auto", "always", "never"])),
    ("lanchat --color=al", Words(&["always"])),
    ("lanchat --color al", Words(&["always"])),
    ("lanchat export --format ", Words(&["text", "jsonl", "csv"])),
    ("lanchat completions ", Words(&["bash", "elvish", "fish", "powershell", "zsh"])),
    ("lanchat man ", Words(&["serve", "doctor", "restore"])),
    ("lanchat help ", Words(&["serve", "doctor", "restore"])),
    ("lanchat help ser", Words(&["serve"])),
    ("lanchat --config ", Files),
    ("lanchat --config a-", Files),
    ("lanchat --passphrase-file ", Files),
    ("lanchat serve --motd ", Files),
    ("lanchat serve --motd=", Files),
    ("lanchat serve --motd=a-", Files),
    ("lanchat serve --data-dir ", Folders),
    ("lanchat backup ", Files),
    ("lanchat restore ", Files),
    ("lanchat export --output ", Files),
    ("lanchat export > ", Files),
    ("lanchat -H ", Words(&["10.0.0.5", "office.example", "127.0.0.1:7700"])),
    ("lanchat -H 10.0.0.5", Words(&["10.0.0.5"])),
    ("lanchat -H 127.0.0.1:77", Words(&["7700"])),
    ("lanchat --host=off", Words(&["office.example"])),
    ("lanchat 10.0", Words(&["10.0.0.5"])),
    ("lanchat chat ", Words(&["10.0.0.5", "office.example"])),
    ("lanchat fingerprint --host ", Words(&["10.0.0.5", "office.example"])),
    ("lanchat --server ", Words(&["Office", "laptop"])),
    ("lanchat --server Off", Words(&["Office"])),
    ("lanchat -n bob -v send --server Off", Words(&["Office"])),
    ("lanchat trust ", Words(&["Office", "laptop"])),
    ("lanchat trust Office ", Words(&["--replace"])),
    ("lanchat --fingerprint ", Words(&["SHA256:I3aEaKt5xEFwYaR6KUuMJa00GQGllglV5EkSqCfu844"])),
    ("lanchat send --to ", Words(&["all", "server", "carol", "games"])),
    ("lanchat send --json --to bob --to car", Words(&["carol"])),
    ("lanchat tail --room ", Words(&["lobby", "games"])),
    ("lanchat send --room ga", Words(&["games"])),
    ("lanchat export --room ", Words(&["lobby"])),
    ("lanchat serve --interface ", Words(&["lo"])),
    ("lanchat serve --rate-limit ", Words(&["off"])),
    ("lanchat serve --max-per-ip ", Words(&["off"])),
    ("lanchat serve --max-file ", Words(&["off"])),
    ("lanchat serve --max-clients ", Nothing),
    ("lanchat serve --advertise ", Words(&[])),
    ("lanchat --name ", Nothing),
    ("lanchat send hello ", Words(&["--to"])),
    ("lanchat doctor --timeout ", Nothing),
];

/// Servers that the user knows: two, and some with names that are dangerous to shells and terminals.
fn known_servers() -> String {
    let mut lines = vec![
        r#"{"fp":"SHA256:I3aEaKt5xEFwYaR6KUuMJa00GQGllglV5EkSqCfu844","name":"Office","addrs":["10.0.0.5:7667"],"hosts":["office.example"],"how":"tofu","first":"","last":""}"#.to_owned(),
        r#"{"fp":"SHA256:Yb0TGq_FApVIJ7dLPY6YpfIaPqgLLJoOzWIXHqw_8lM","name":"Bob's laptop (home)","addrs":["127.0.0.1:7700"],"how":"tofu","first":"","last":""}"#.to_owned(),
    ];
    let hostile = [
        r"xa $(touch ran)",
        r"xb `touch ran`",
        r"xc ;touch ran;",
        r"xd \n touch ran \n",
        r"xe ](B\u001b]0;ran\u0007\u001b[2J",
        r"--config=ran",
        r"xf: :(touch ran) :{touch ran}",
        r"xg * ~ %F{red} !! ${(e):-$(touch ran)}",
        r"PORT]",
    ];
    for (at, name) in hostile.iter().enumerate() {
        let key = format!("SHA256:{}{at}{}", "A".repeat(20), "A".repeat(22));
        let line = format!(r#"{{"fp":"{key}","name":"{name}","addrs":["10.9.0.{at}:7667"],"how":"tofu"}}"#);
        lines.push(line);
    }
    lines.join("\n") + "\n"
}

fn furnish(home: &Home) {
    fs::write(home.state().join("known_servers"), known_servers()).unwrap();
    let typed = "#V2\n/join #games\n/msg carol hi\n/msg zz$(touch${IFS}ran)'\" hi\n/join #zz;touch\n";
    fs::write(home.state().join("history"), typed).unwrap();
}

#[track_caller]
fn check(shell: &mut Shell, line: &str, offer: Offer) {
    let shown = shell.tab(line);
    let context = format!("{:?}: {line:?} shows {shown:?}", shell.kind);
    for complaint in COMPLAINTS {
        assert!(!shown.contains(complaint), "{context}");
    }
    let expected = match offer {
        Files => (true, true),
        Folders => (false, true),
        Words(_) | Nothing => (false, false),
    };
    assert_eq!((shown.contains(FILE), shown.contains(FOLDER)), expected, "{context}");
    match offer {
        Words(words) => {
            // The shell may go back to the line's start in the middle of a word that it completes.
            let whole = shown.replace('\r', "");
            let missing = words.iter().find(|word| !shown.contains(**word) && !whole.contains(**word));
            assert_eq!(missing, None, "{context}");
        }
        Nothing => assert_eq!(Shell::added(&shown, line), [""; 0], "{context}"),
        Files | Folders => {}
    }
    assert!(!shell.home.path().join("ran").exists(), "something ran; {context}");
}

/// Checks the whole table in a shell.
fn offers_what_fits(kind: Kind) {
    let Some(mut shell) = Shell::start(kind, None, furnish) else { return };
    for (line, offer) in TABLE {
        check(&mut shell, line, offer);
    }
    // A key that this machine offers would prove nothing.
    let shown = shell.tab("lanchat trust --replace Office ");
    assert!(!shown.contains("SHA256"), "{kind:?}: {shown:?}");
}

#[test]
fn bash_offers_what_fits_and_files_only_where_files_belong() {
    offers_what_fits(Kind::Bash);
}

#[test]
fn zsh_offers_what_fits_and_files_only_where_files_belong() {
    offers_what_fits(Kind::Zsh);
}

#[test]
fn fish_offers_what_fits_and_files_only_where_files_belong() {
    offers_what_fits(Kind::Fish);
}

#[test]
fn zsh_and_fish_show_what_a_word_means() {
    for kind in [Kind::Zsh, Kind::Fish] {
        let Some(mut shell) = Shell::start(kind, None, furnish) else { continue };
        for (line, help) in [
            ("lanchat ", "Run a server"),
            ("lanchat --", "Pick one of several servers"),
            ("lanchat --color ", "In pipes and files too"),
            ("lanchat --server ", "Office, office.example, joined before"),
            ("lanchat send --to ", "everyone, in the lobby"),
        ] {
            let shown = shell.tab(line);
            assert!(shown.contains(help), "{kind:?}: {line:?} shows {shown:?}");
        }
    }
}

#[test]
fn names_from_others_reach_lanchat_unchanged_and_never_the_shell() {
    for kind in Kind::ALL {
        let Some(mut shell) = Shell::start(kind, None, furnish) else { continue };
        for line in ["lanchat --server ", "lanchat --server x", "lanchat trust --", "lanchat -H 10.9.0."] {
            check(&mut shell, line, Words(&[]));
        }
        let hostile = "zz$(touch${IFS}ran)'\"";
        for (line, expected) in [
            ("lanchat --server Bob", ["--server", "Bob's laptop (home)"]),
            ("lanchat --server 'Bob", ["--server", "Bob's laptop (home)"]),
            ("lanchat --server \"Bob", ["--server", "Bob's laptop (home)"]),
            ("lanchat --server xa", ["--server", "xa-touch-ran-"]),
            ("lanchat --server xb", ["--server", "xb-touch-ran-"]),
            ("lanchat --server xc", ["--server", "xc-touch-ran-"]),
            ("lanchat --server xd", ["--server", "xd-touch-ran-"]),
            ("lanchat --server xe", ["--server", "xe-b-0-ran-2j-"]),
            ("lanchat --server xf", ["--server", "xf-touch-ran-touch-ran-"]),
            ("lanchat --server xg", ["--server", "xg-f-red-e-touch-ran-"]),
            ("lanchat send --to z", ["--to", hostile]),
            ("lanchat send --room z", ["--room", "zz;touch"]),
        ] {
            let given = shell.arguments(line);
            let [.., option, value] = given.as_slice() else { panic!("{kind:?}: {line} gives {given:?}") };
            assert_eq!(option, expected[0], "{kind:?}: {line} gives {given:?}");
            let is_label = expected[1].ends_with('-');
            let fits = if is_label { value.starts_with(expected[1]) } else { value == expected[1] };
            assert!(fits, "{kind:?}: {line} gives {given:?}");
        }
        assert!(!shell.home.path().join("ran").exists(), "{kind:?}: something ran");
    }
}

#[test]
fn rooms_and_users_of_a_server_on_this_machine_complete() {
    let data = tempfile::tempdir().unwrap();
    let server = TestServer::in_dir(data.path());
    let mut peer = Peer::join(server.address, "dora");
    peer.send(serde_json::json!({"type": "join", "to": "server", "msg": "", "room": "#builds"}));
    // A room without messages and without an owner of a key leaves nothing behind.
    peer.say("#builds", "hello");
    peer.settle();
    for kind in Kind::ALL {
        let Some(mut shell) = Shell::start(kind, None, |_| {}) else { continue };
        let option = format!("--data-dir {}", data.path().display());
        for (line, word) in [("export", "builds"), ("send", "builds")] {
            let shown = shell.tab(&format!("lanchat {line} {option} --room bu"));
            assert!(shown.contains(word), "{kind:?}: {line} shows {shown:?}");
        }
    }
}
