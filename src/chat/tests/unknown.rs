//! Unknown names: the answer tells which command lists the known ones, and suggests similar ones.

use super::*;

#[test]
fn each_command_names_the_list_of_those_that_it_may_be_about() {
    let mut house = House::with_operator();
    house.join_key(1, "alice", 1);
    house.join_key(2, "robert", 2);
    house.console("/mute robert").expect("done");
    house.console("/op alice").expect("done");
    for (command, list, near) in [
        ("/mute alcie", "/owners", "alice"),
        ("/ban alcie", "/owners", "alice"),
        ("/op robret", "/owners", "robert"),
        ("/admit robret", "/users", "robert"),
        ("/dismiss robret", "/members", "robert"),
        ("/release robret", "/owners", "robert"),
        ("/deop alcie", "/operators", "alice"),
        ("/unmute robret", "/bans", "robert"),
        ("/kick alcie", "/users", "alice"),
    ] {
        let refusal = house.console(command).expect_err(command);
        assert_eq!(refusal.code, Code::NoSuchUser, "{command}");
        assert!(refusal.msg.contains(list), "{command}: {}", refusal.msg);
        assert!(refusal.msg.contains(&format!("did you mean {near}?")), "{command}: {}", refusal.msg);
    }
    let far = house.console("/mute zzz").expect_err("nobody").msg;
    assert!(far.contains("/users") && !far.contains("did you mean"), "{far}");
    let bans = house.console("/unban robert").expect_err("he is muted").msg;
    assert!(bans.contains("/bans") && !bans.contains("did you mean"), "{bans}");
}
