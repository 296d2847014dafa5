//! The words that Tab offers, without a shell.

use super::*;

fn answered(line: &str) -> TabAnswer {
    let mut words: Vec<&str> = line.split(' ').collect();
    let current = words.pop().unwrap();
    answer(&words.into_iter().map(OsString::from).collect::<Vec<_>>(), current)
}

#[track_caller]
fn words(line: &str) -> Vec<String> {
    match answered(line) {
        TabAnswer::Words(words) => words.into_iter().map(|word| word.value).collect(),
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn subcommands_come_with_what_they_do_and_without_options() {
    let TabAnswer::Words(all) = answered("lanchat ") else { panic!() };
    let names: Vec<_> = all.iter().map(|word| word.value.as_str()).collect();
    let expected: Vec<_> = args::SUBCOMMANDS.into_iter().chain(["help"]).collect();
    assert_eq!(names, expected);
    assert!(all.iter().all(|word| word.help.as_ref().is_some_and(|help| !help.is_empty())));
    assert_eq!(words("lanchat ser"), ["serve"]);
    assert_eq!(words("lanchat cha"), ["chat"]);
    assert_eq!(words("lanchat zzz"), [""; 0]);
}

#[test]
fn options_come_when_a_dash_is_typed_or_nothing_else_fits() {
    for line in ["lanchat -", "lanchat --", "lanchat send -", "lanchat send --", "lanchat discover "] {
        let words = words(line);
        assert!(words.iter().all(|word| word.starts_with("--")), "{line}: {words:?}");
        assert!(words.contains(&"--timeout".to_owned()), "{line}: {words:?}");
    }
    assert_eq!(words("lanchat --comm"), ["--commands"]);
    assert_eq!(words("lanchat -v"), ["-v"]);
    assert!(!words("lanchat tail --").contains(&"--follow".to_owned()));
}

#[test]
fn options_before_the_subcommand_and_after_it_and_twice_are_understood() {
    assert_eq!(words("lanchat -H 10.0.0.5 -n send --no-discovery send --js"), ["--json"]);
    assert_eq!(words("lanchat 10.0.0.5 export --format js"), ["jsonl"]);
    assert_eq!(words("lanchat send --to bob --to al"), ["all"]);
    assert_eq!(words("A=1 lanchat send --to serv"), ["server"]);
    assert_eq!(words("lanchat --color=al"), ["--color=always"]);
    assert_eq!(words("lanchat serve --rate-limit "), ["off"]);
}

#[test]
fn help_and_man_take_subcommands_and_chat_takes_no_subcommand() {
    assert_eq!(words("lanchat help "), args::SUBCOMMANDS);
    assert_eq!(words("lanchat man se"), ["serve", "send"]);
    assert_eq!(words("lanchat help ex"), ["export"]);
    assert_eq!(words("lanchat help export "), [""; 0]);
    assert_eq!(words("lanchat completions "), ["bash", "elvish", "fish", "powershell", "zsh"]);
    assert!(words("lanchat chat office ").iter().all(|word| word.starts_with("--")));
    assert_eq!(words("lanchat join --timeo"), ["--timeout"]);
    assert_eq!(words("lanchat join --color "), ["auto", "always", "never"]);
}

#[test]
fn files_are_left_to_the_shell_and_other_values_offer_none() {
    for line in [
        "lanchat --config ",
        "lanchat --passphrase-file x",
        "lanchat serve --motd=",
        "lanchat serve --motd n",
        "lanchat backup ",
        "lanchat restore a",
        "lanchat export --output ",
    ] {
        assert_eq!(answered(line), TabAnswer::Files, "{line}");
    }
    assert_eq!(answered("lanchat export --data-dir "), TabAnswer::Folders);
    for line in [
        "lanchat --name ",
        "lanchat --timeout ",
        "lanchat serve --port ",
        "lanchat serve --max-clients ",
        "lanchat tail --since ",
        "lanchat trust Office ",
    ] {
        assert_eq!(words(line).iter().find(|word| !word.starts_with("--")), None, "{line}");
    }
}

#[test]
fn a_help_text_is_one_sentence() {
    assert_eq!(sentence("Do this. It does more.\nAnd more"), "Do this");
    assert_eq!(sentence("red\x1b[31m"), "red[31m");
}
