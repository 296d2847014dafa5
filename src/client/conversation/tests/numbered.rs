//! Pointing at lines.

use super::*;
use crate::client::conversation::numbered::MAX_MESSAGES;

fn edited(of: u64, from: &str, msg: &str) -> Event {
    let from = sender(from);
    let (to, msg, ts) = ("all".into(), msg.into(), TS.into());
    Event::Edited { from, to, msg, seq: Some(of + 100), ts, of, action: false, history: false }
}

fn sent(seq: u64) -> Event {
    Event::Sent { seq: Some(seq), ts: TS.into(), stored: true, waits: None, away: None }
}

#[test]
fn the_last_lines_have_numbers_the_latest_one_1() {
    let mut talk = Talk::at_prompt();
    assert!(talk.line("/num").contains("no messages to number"));
    assert!(talk.line("/copy 1").contains("to number the last ones: /num"));
    for text in ["one", "two", "three"] {
        talk.says("bob", "all", text);
    }
    assert_eq!(talk.line("/num 2"), "    2 <bob> two\n    1 <bob> three");
    assert!(talk.line("/copy 3").contains("there is no line 3"));
    talk.says("bob", "all", "four");
    assert!(talk.line("/copy 1").starts_with("(copy: three)"), "numbers stay until the next /num");
}

/// The next packet that answers a line; read positions may come before it.
fn reply(talk: &mut Talk) -> ClientPacket {
    loop {
        let packet = talk.sent();
        if packet.kind.as_deref() != Some("read") {
            return packet;
        }
    }
}

#[test]
fn a_reply_goes_where_its_line_came_from_and_is_shown_under_the_beginning_of_it() {
    let mut talk = Talk::at_prompt();
    talk.says("bob", "#games", "anyone for a very long game of go today, or rather tomorrow at eight?");
    talk.says("bob", "alice", "psst");
    talk.line("/num");
    talk.line("/reply 2 me");
    let packet = reply(&mut talk);
    assert_eq!((packet.to.as_deref(), packet.reply), (Some("#games"), Some(1)));
    let shown = talk.receipt(&packet);
    assert!(
        shown.starts_with("      > bob: anyone for a very long game of go today, or rather tomorrow...\n"),
        "{shown}"
    );
    talk.line("/reply 1 yes");
    let packet = reply(&mut talk);
    assert_eq!((packet.to.as_deref(), packet.reply), (Some("bob"), Some(2)));
}

#[test]
fn an_answer_to_a_line_that_is_not_here_says_so() {
    let mut talk = Talk::at_prompt();
    talk.seq = 50;
    let from = sender("bob");
    let (to, msg, ts, seq) = ("all".into(), "yes".into(), TS.into(), Some(51));
    let (action, history, edited) = (false, false, false);
    let shown =
        talk.event(Event::Chat { from, to, msg, action, seq, ts, history, reply: Some(3), edited }, None);
    assert_eq!(shown, "      > an earlier message\n12:03 <bob> yes");
}

#[test]
fn ones_own_message_changes_and_the_server_confirms_it() {
    let mut talk = Talk::at_prompt();
    talk.line("helo");
    let packet = talk.sent();
    talk.receipt(&packet);
    talk.says("bob", "all", "what?");
    talk.line("/edit hello");
    let edit = talk.sent();
    assert_eq!((edit.kind.as_deref(), edit.seq, edit.text()), (Some("edit"), Some(1), "hello"));
    assert_eq!(talk.event(sent(3), edit.id.as_deref()), "12:03 * alice corrected \"helo\": hello");
    assert_eq!(talk.line("/num"), "    2 <alice> hello (edited)\n    1 <bob> what?");
    assert!(talk.line("/edit 1 mine").contains("only change your own"));
    talk.line("/delete 2");
    let delete = talk.sent();
    assert_eq!((delete.kind.as_deref(), delete.seq), (Some("delete"), Some(1)));
    assert_eq!(talk.event(sent(4), delete.id.as_deref()), "12:03 * alice deleted \"hello\"");
    assert!(talk.line("/copy 2").contains("line 2 is gone"));
}

#[test]
fn a_change_without_a_number_never_overwrites_an_earlier_message() {
    let mut talk = Talk::at_prompt();
    let unconfirmed = "12:03 ! your last message is not confirmed yet; try again in a moment";
    talk.line("the important one");
    let first = talk.sent();
    assert_eq!(talk.line("/edit oops"), unconfirmed);
    talk.receipt(&first);
    talk.line("secnd");
    let second = reply(&mut talk);
    assert_eq!(talk.line("/edit second"), unconfirmed);
    talk.nothing_sent();
    talk.receipt(&second);
    talk.line("/edit second");
    assert_eq!(reply(&mut talk).seq, Some(2));
}

#[test]
fn a_change_without_a_number_is_for_the_last_message_and_only_where_the_user_is() {
    let mut talk = Talk::at_prompt();
    talk.says("alice", "all", "one");
    talk.line("/edit 1st");
    assert_eq!(reply(&mut talk).seq, Some(1));
    let elsewhere = |to: &str| {
        format!("12:03 ! your last message went to {to}, not here; to change a message: /num, then /edit N")
    };
    talk.says("alice", "bob", "psst");
    assert_eq!(talk.line("/edit a secret"), elsewhere("bob"));
    talk.says("alice", "#games", "go");
    assert_eq!(talk.line("/edit a secret"), elsewhere("#games"));
    talk.line("/msg carol not confirmed");
    reply(&mut talk);
    assert_eq!(talk.line("/edit a secret"), elsewhere("carol"));
    talk.nothing_sent();
}

#[test]
fn where_the_user_has_said_nothing_there_is_nothing_to_change() {
    let mut talk = Talk::at_prompt();
    talk.says("alice", "all", "one");
    talk.says("carol", "all", "hi");
    talk.line("/query carol");
    assert!(talk.line("/edit x").contains("you have no message here to change"));
}

#[test]
fn an_older_message_that_is_shown_later_is_not_the_last_one() {
    let mut talk = Talk::at_prompt();
    talk.seq = 50;
    talk.says("alice", "all", "the last");
    talk.line("/history");
    let id = reply(&mut talk).id;
    talk.missed(7, "alice", "all", "an old one", id.as_deref());
    talk.event(end(50), id.as_deref());
    talk.line("/edit better");
    assert_eq!(reply(&mut talk).seq, Some(51));
}

#[test]
fn a_message_that_the_server_has_not_stored_is_not_taken_for_the_one_before() {
    let mut talk = Talk::at_prompt();
    talk.says("alice", "all", "one");
    talk.line("two");
    let packet = reply(&mut talk);
    talk.receipt_with(&packet, false, None);
    assert!(talk.line("/edit zwei").contains("the server has not stored this message"));
}

#[test]
fn after_a_rename_ones_own_messages_are_still_ones_own() {
    for key in [Some(OWN), None] {
        let mut talk = Talk::at_prompt();
        talk.conversation.session.key = key;
        talk.line("helo");
        let packet = reply(&mut talk);
        talk.receipt(&packet);
        talk.line("/nick alicia");
        let id = reply(&mut talk).id;
        talk.event(Event::Renamed { old: "alice".into(), name: "alicia".into() }, id.as_deref());
        talk.line("/edit hello");
        let edit = reply(&mut talk);
        assert_eq!((edit.kind.as_deref(), edit.seq), (Some("edit"), Some(1)), "{key:?}");
        let mark = if key.is_some() { "" } else { "?" };
        let corrected = talk.event(sent(3), edit.id.as_deref());
        assert_eq!(corrected, format!("12:03 * alicia{mark} corrected \"helo\": hello"));
        talk.line("/num");
        talk.line("/delete 1");
        let delete = reply(&mut talk);
        let deleted = talk.event(sent(4), delete.id.as_deref());
        assert_eq!(deleted, format!("12:03 * alicia{mark} deleted \"hello\""));
    }
}

#[test]
fn a_message_of_the_previous_owner_of_a_name_is_not_ones_own() {
    let mut talk = Talk::at_prompt();
    talk.seq = 1;
    let from = Sender { key: Some(OTHERS.tag()), ..sender("alice") };
    let (to, msg, ts, seq) = ("all".into(), "mine".into(), TS.into(), Some(1));
    let (action, history, edited) = (false, false, false);
    talk.event(Event::Chat { from, to, msg, action, seq, ts, history, reply: None, edited }, None);
    assert!(talk.line("/edit x").contains("you have no message here"));
    talk.line("/num");
    assert!(talk.line("/edit 1 x").contains("only change your own"));
}

#[test]
fn an_older_server_cannot_change_messages_and_the_user_learns_why() {
    let mut talk = Talk::at_prompt();
    talk.line("helo");
    let packet = talk.sent();
    talk.receipt(&packet);
    talk.line("/edit hello");
    let edit = talk.sent();
    let error = Event::error(Code::UnknownType, "type \"edit\" is unknown; use one of chat, nick");
    assert_eq!(
        talk.event(error, edit.id.as_deref()),
        "12:03 ! this server has an older version, which cannot change messages"
    );
}

#[test]
fn others_changes_are_shown_once() {
    let mut talk = Talk::at_prompt();
    talk.says("bob", "all", "helo");
    assert_eq!(talk.event(edited(1, "bob", "hello"), None), "12:03 * bob corrected \"helo\": hello");
    assert_eq!(talk.event(edited(1, "bob", "hello"), None), "");
    assert_eq!(talk.line("/num"), "    1 <bob> hello (edited)");
}

#[test]
fn a_link_is_opened_only_at_a_prompt_which_asks() {
    let mut talk = Talk::new();
    talk.says("bob", "all", "see https://a.example/x, please");
    talk.line("/num");
    assert_eq!(talk.line("/open 1"), "12:03 ! only a prompt opens links; this one is https://a.example/x");
    assert!(talk.line("/copy 1").contains("only a terminal"));
    let mut talk = Talk::at_prompt();
    talk.says("bob", "all", "see https://a.example/x, please");
    talk.line("/num");
    assert_eq!(talk.line("/open 1"), "(open: https://a.example/x)");
    talk.says("bob", "all", "HTTPS://a.example\u{200b}.evil.example/\u{202e}gnp.exe");
    talk.line("/num");
    assert_eq!(talk.line("/open 1"), "(open: https://a.example.evil.example/gnp.exe)");
    talk.says("bob", "all", "nothing");
    talk.line("/num");
    assert!(talk.line("/open 1").contains("line 1 has no link"));
    talk.says("bob", "all", &format!("https://a.example/{}", "y".repeat(9000)));
    talk.line("/num");
    assert!(talk.line("/open 1").contains("the link in line 1 has 9018 bytes, and the limit is 2048;"));
}

#[test]
fn of_several_links_the_user_chooses_one() {
    let mut talk = Talk::at_prompt();
    talk.says("bob", "all", "http://one.example or https://two.example/x, both");
    talk.line("/num");
    assert_eq!(
        talk.line("/open 1"),
        "12:03 -- line 1 has 2 links; to open the second one: /open 1.2\n         \
         1.1  http://one.example\n         1.2  https://two.example/x"
    );
    assert_eq!(talk.line("/open 1.1"), "(open: http://one.example)");
    assert_eq!(talk.line("/open 1 2"), "(open: https://two.example/x)");
    assert!(talk.line("/open 1.3").ends_with("line 1 has only 2 links; /open 1 lists them"));
    talk.says("bob", "all", "nothing");
    talk.line("/num");
    assert!(talk.line("/open 1.2").contains("line 1 has no link"));
}

#[test]
fn another_servers_lines_have_no_numbers_here() {
    let mut talk = Talk::at_prompt();
    talk.says("bob", "all", "one");
    talk.line("/num");
    let server = ServerInfo { id: "77".into(), name: "lab".into(), version: "0.1.0".into() };
    talk.lose("gone");
    talk.come(Welcome { server, ..office() }, None);
    assert!(talk.line("/copy 1").contains("no lines have numbers yet"));
}

/// The change with the next number.
fn latest(talk: &mut Talk, mut change: Event) -> Event {
    talk.seq += 1;
    if let Event::Edited { seq, .. } | Event::Deleted { seq, .. } = &mut change {
        *seq = Some(talk.seq);
    }
    change
}

#[test]
fn a_change_of_a_message_says_which_one_it_was() {
    let mut talk = Talk::at_prompt();
    let long = "first words of a message that goes on for a long time and longer than a quote may be";
    talk.says("bob", "all", long);
    let deleted = |of, name: Option<&str>| {
        let from = Sender { name: "root".into(), ip: "10.0.0.3".into(), key: Some(OWN.tag()) };
        let (to, ts, name) = ("all".into(), TS.into(), name.map(str::to_owned));
        Event::Deleted { from, to, seq: Some(of + 100), ts, of, name, history: false }
    };
    let change = latest(&mut talk, deleted(1, Some("bob")));
    let shown = talk.event(change, None);
    assert!(shown.starts_with("12:03 * root deleted \"first words of a message"), "{shown}");
    assert!(shown.ends_with("...\" by bob"), "{shown}");
    for _ in 0..MAX_MESSAGES + 1 {
        talk.says("bob", "all", "x");
    }
    let change = latest(&mut talk, edited(3, "bob", "y"));
    let shown = talk.event(change, None);
    assert_eq!(shown, "12:03 * bob corrected a message of 12:03: y");
    let change = latest(&mut talk, edited(9999, "bob", "y"));
    let shown = talk.event(change, None);
    assert_eq!(shown, "12:03 * bob corrected an earlier message: y");
}
