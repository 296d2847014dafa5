//! Tab in real shells, with servers on the network.

use super::station::Station;
use crate::support::lan::Lan;
use crate::support::shell::{Kind, Shell};
use crate::support::soon;
use crate::support::terminal::{Home, LANCHAT};
use crate::support::tools::run;

const FAIR: &str = "3f9a1c7700112233";
const HOSTILE: &str = "8899aabbccddeeff";

#[test]
fn tab_offers_the_servers_on_the_network_and_asks_only_if_it_may() {
    let Some(lan) = Lan::new() else { return };
    let (server, client) = (lan.host(), lan.host());
    let _fair = Station::start(&server, FAIR, "Qualle");
    let _hostile = Station::start(&server, HOSTILE, "Quark $(touch ran)`touch ran`;touch ran");
    for kind in Kind::ALL {
        let Some(mut shell) = Shell::start(kind, Some(&client), |_| {}) else { continue };
        // An answer may be lost.
        let both = |shown: &String| shown.contains("Qualle") && shown.contains("quark-touch-ran-");
        for line in ["lanchat --server ", "lanchat send --server ", "lanchat trust "] {
            soon::until(|| Some(shell.tab(line)).filter(both));
        }
        let address = server.v4().to_string();
        soon::until(|| Some(shell.tab("lanchat --host ")).filter(|shown| shown.contains(&address)));
        for line in ["lanchat --no-discovery --server Qu", "lanchat send --no-discovery --server Qu"] {
            let shown = shell.tab(line);
            assert!(!shown.contains("Qualle") && !shown.contains("quark"), "{kind:?}: {line}: {shown:?}");
        }
        let arguments = soon::until(|| {
            let arguments = shell.arguments("lanchat --server quark");
            (arguments.len() == 2 && arguments[1].len() > "quark".len()).then_some(arguments)
        });
        assert!(arguments[1].starts_with("quark-touch-ran-"), "{kind:?}: {arguments:?}");
        assert!(!shell.home.path().join("ran").exists(), "{kind:?}: something ran");
    }
    let (home, mut question) = (Home::new(), client.command(LANCHAT));
    question.envs(home.env()).args(["completions", "fish", "--", "lanchat", "--server", "Q"]);
    soon::until(|| Some(run(&mut question)).filter(|answer| answer.contains("Qualle")));
    assert_eq!(run(question.env("LANCHAT_NO_DISCOVERY", "1")), "words\n");
}
