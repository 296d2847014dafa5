//! The prompt without a server: reports what searches find, asks the user, and joins the next server.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::super::opener;
use super::offer::{self, Advice, HostingOffer, Wish};
use super::{Ending, OpenQuestion, Repl};
use crate::client::background::Background;
use crate::client::connection::{JoinTerms, Joined, Reconnector, addresses};
use crate::client::error::Error;
use crate::client::find::{
    Choice, Located, Rival, StartedServer, again, choices, describe, nothing, search_in_background, several,
    start, watch_rivals,
};
use crate::client::link::Reached;
use crate::client::terminal::{self, is_yes};
use crate::discovery::{ScanScope, SearchReport};
use crate::limits::DEFAULT_PORT;
use crate::protocol::request::Mode;
use crate::text::safe_line;

/// How long to look once more before starting a server: others may have had the same idea.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// The pause after a server that could not be joined.
const RETRY: Duration = Duration::from_secs(2);

impl Repl {
    /// Handles the result of a search.
    pub(super) async fn located(&mut self, located: Option<Result<Located, Error>>) -> Ending {
        match located {
            Some(Ok(Located::Nothing(tried))) => {
                let own = addresses();
                let advice = offer::advice(&tried, self.scan_offer(), &own);
                let step = self.advise(&tried, &advice);
                self.vain = Some(nothing(&tried));
                step
            }
            Some(Ok(found)) => self.found(found).await,
            Some(Err(error)) => self.tell_once(error.to_string()),
            None => {
                self.search = None;
                None
            }
        }
    }

    /// Joins the server that answered, or lets the user choose among several.
    async fn found(&mut self, located: Located) -> Ending {
        self.withdraw();
        match located {
            Located::One(reached) => self.move_to(*reached, false).await,
            Located::Several(servers) => {
                self.search = None;
                choices(&servers).into_iter().for_each(|line| self.prompt.printer().print(line));
                self.choose(servers)
            }
            Located::Nothing(_) => None,
        }
    }

    fn choose(&mut self, servers: Vec<Reached>) -> Ending {
        let text = format!("Which one? [1-{}, or its name] ", servers.len());
        self.vain = Some(several(&servers));
        let choice = Choice::among(&servers);
        self.ask_unexpected(text, move |answer| choice.is_answer(answer), OpenQuestion::Choose(servers))
    }

    /// Says what is wrong, or offers to start a server.
    fn advise(&mut self, tried: &SearchReport, advice: &Advice) -> Ending {
        match advice {
            _ if tried.wanted.is_some() => self.tell_once(tried.to_string()),
            Advice::Tell(lines) => {
                if matches!(self.question, Some(OpenQuestion::Host(_))) {
                    self.withdraw();
                }
                self.offer = None;
                lines.iter().find_map(|line| self.tell_once(line.clone()))
            }
            Advice::Ask(offer) => {
                self.offer = Some(offer.clone());
                if self.declined || self.scan.is_some() {
                    return None;
                }
                match &self.question {
                    Some(OpenQuestion::Host(asked)) if asked == offer => return None,
                    Some(OpenQuestion::Host(_)) | None => {}
                    Some(_) => return None,
                }
                offer.hints.iter().for_each(|hint| self.hint_once(hint.clone()));
                self.make(offer.clone())
            }
        }
    }

    fn make(&mut self, offer: HostingOffer) -> Ending {
        let (text, asked) = (offer.question.clone(), offer.clone());
        self.ask_unexpected(text, move |answer| asked.wish(answer).is_some(), OpenQuestion::Host(offer))
    }

    /// Asks again after a declined offer, if the user presses Enter on an empty line and the offer still
    /// stands.
    pub(super) fn offer_again(&mut self) -> Ending {
        if self.connection.is_some() || self.question.is_some() || !self.declined {
            return None;
        }
        let offer = self.offer.clone()?;
        self.declined = false;
        self.make(offer)
    }

    /// Reports a failure that each search repeats only once.
    fn tell_once(&mut self, text: String) -> Ending {
        if self.told.contains(&text) {
            return None;
        }
        self.told.push(text.clone());
        self.failure(&text)
    }

    fn hint_once(&mut self, text: String) {
        if !self.told.contains(&text) {
            self.note(&text);
            self.told.push(text);
        }
    }

    /// Describes a scan of all addresses, unless there was one.
    fn scan_offer(&self) -> Option<String> {
        let is_new = self.network.locator.searches() && !self.has_scanned;
        let terrain = is_new.then(ScanScope::survey)?.ok().filter(|terrain| !terrain.is_empty())?;
        Some(format!("all {} addresses of {terrain}", terrain.count()))
    }

    /// Handles the answer to the open question.
    pub(super) async fn answer(&mut self, answer: &str) -> Ending {
        match self.question.take()? {
            OpenQuestion::Conversation => {
                let effects = self.conversation.answered_question(is_yes(answer));
                self.apply(effects)
            }
            OpenQuestion::Quit => is_yes(answer).then_some(Ok(())),
            OpenQuestion::Open(_) if !is_yes(answer) => None,
            OpenQuestion::Open(link) => match opener::open(&link) {
                Ok(()) => None,
                Err(why) => self.failure(&why),
            },
            OpenQuestion::Host(offer) => match offer.wish(answer) {
                Some(Wish::Host) => self.host().await,
                Some(Wish::Scan) => self.scan(),
                Some(Wish::Nothing) | None => self.decline(),
            },
            OpenQuestion::Choose(mut servers) => match Choice::among(&servers).chosen(answer) {
                Some(at) => {
                    let server = servers.swap_remove(at);
                    let name = describe(&server);
                    match again(server, self.network.locator.channel()).await {
                        Ok(again) => self.move_to(again, true).await,
                        Err(error) => self.cannot_join(&name, &error.to_string()),
                    }
                }
                None => {
                    let answer = safe_line(answer.trim());
                    self.failure(&format!(
                        "\"{answer}\" does not pick one of them: type a number from the list, or /quit"
                    ));
                    self.choose(servers)
                }
            },
        }
    }

    /// Ctrl-C at a question.
    pub(super) async fn interrupt_question(&mut self, was_interrupted: bool) -> Ending {
        match self.question.take() {
            Some(OpenQuestion::Choose(_)) if was_interrupted => self.quit(),
            Some(OpenQuestion::Choose(servers)) => {
                self.interrupted = true;
                self.note("press Ctrl-C again, or Ctrl-D, to leave");
                self.choose(servers)
            }
            question => {
                self.question = question;
                self.answer("n").await
            }
        }
    }

    fn decline(&mut self) -> Ending {
        self.declined = true;
        self.note("still looking for a server; Enter asks again, /quit leaves")
    }

    /// Scans all addresses of this machine's networks.
    fn scan(&mut self) -> Ending {
        let what = self.scan_offer()?;
        self.has_scanned = true;
        let locator = self.network.locator.clone();
        self.scan = Some(Background::start(1, async move |sender| {
            // Without a receiver, there is a connection by now.
            let _ = sender.send(locator.scan().await).await;
        }));
        self.note(&format!("trying {what}..."))
    }

    /// Handles the result of the scan.
    pub(super) async fn scanned(&mut self, located: Option<Result<Located, Error>>) -> Ending {
        self.scan = None;
        // The search may have been faster.
        if self.connection.is_some() {
            return None;
        }
        match located? {
            Ok(Located::Nothing(_)) => self.note("no server answered at any of these addresses"),
            Ok(found) => self.found(found).await,
            Err(error) => self.failure(&error.to_string()),
        }
    }

    /// Starts a server here and joins it, unless another one has appeared.
    async fn host(&mut self) -> Ending {
        self.search = None;
        let last_look = self.network.locator.within(LAST_LOOK);
        match last_look.locate(|| {}).await {
            Ok(Located::Nothing(_)) => {}
            Ok(found) => {
                self.note("another server has started, so none is started here");
                return self.found(found).await;
            }
            Err(error) => {
                self.search_again(RETRY);
                return self.failure(&error.to_string());
            }
        }
        match start(&*self.network.host, self.network.locator.channel()).await {
            Ok(StartedServer { reached, hosting }) => {
                if self.network.locator.searches() {
                    let channel = self.network.locator.channel().clone();
                    self.network.rivals = Some(watch_rivals(hosting.id(), hosting.addr(), channel));
                }
                let warning = hosting.warning();
                self.network.hosting = Some(hosting);
                self.network.credentials.trust.lock().look_around(&self.data_dirs);
                self.invite(reached.link.peer());
                warning.into_iter().for_each(|text| self.hint_once(text));
                self.move_to(reached, false).await
            }
            Err(error) => {
                let step = self.failure(&error.to_string());
                self.search_again(RETRY);
                step
            }
        }
    }

    /// Says how others join the server that was started here.
    fn invite(&mut self, at: SocketAddr) {
        let is_shared = |ip: &IpAddr| ip.is_ipv4() && !ip.is_loopback();
        let by_address = addresses().into_iter().find(is_shared).map(|ip| match at.port() {
            DEFAULT_PORT => format!(" (or: lanchat {ip})"),
            port => format!(" (or: lanchat {ip}:{port})"),
        });
        self.note(&format!("others on this network now type: lanchat{}", by_address.unwrap_or_default()));
    }

    /// Handles news of another server beside the one that runs here.
    pub(super) fn rival(&mut self, rival: Option<Rival>) -> Ending {
        match rival {
            Some(Rival::Beside(server)) => {
                let name = safe_line(&server.name);
                self.note(&format!(
                    "there is another server on this network, {name}; newcomers are asked which one to join. \
                     If you leave, everyone here can move there"
                ))
            }
            Some(Rival::GiveWay(server)) => {
                self.network.rivals = None;
                let hosting = self.network.hosting.take()?;
                // The server tells this client like all others.
                drop(tokio::spawn(hosting.give_way(server)));
                None
            }
            None => {
                self.network.rivals = None;
                None
            }
        }
    }

    /// Joins a server that a search found or the user chose.
    async fn move_to(&mut self, reached: Reached, is_chosen: bool) -> Ending {
        self.search = None;
        let (server, addrs) = (describe(&reached), reached.addrs.clone());
        let namesake = self.network.locator.trust().namesake(&reached);
        if let Some(refusal) = namesake.as_ref().filter(|_| !is_chosen) {
            return self.cannot_join(&server, &refusal.to_string());
        }
        let (credentials, locator) = (self.network.credentials.clone(), self.network.locator.clone());
        let needs_passphrase = reached.closed && !credentials.trust.lock().is_member(reached.link.key());
        let terms = JoinTerms {
            mode: Mode::Chat,
            may_ask: needs_passphrase || namesake.is_some(),
            needs_name: self.is_first && credentials.identity.is_name_chosen,
            guest: false,
        };
        let joined = if terms.may_ask {
            // The prompt lends its terminal to the questions.
            let joining = credentials.join_any(&locator, reached, terms, |line| terminal::tell(&line));
            match self.prompt.lend(joining).await {
                Ok(joined) => joined,
                Err(error) => return Some(Err(Error::Local(error.to_string()))),
            }
        } else {
            let printer = self.prompt.printer();
            credentials.join_any(&locator, reached, terms, |line| printer.print(line)).await
        };
        match joined {
            Ok(registered) => {
                self.is_first = false;
                self.told.clear();
                (self.declined, self.offer, self.has_scanned, self.scan) = (false, None, false, None);
                self.network.locator.remember(&addrs);
                let locator = self.network.locator.clone();
                self.connection = Some(Reconnector::start(Joined { registered, credentials, locator }));
                None
            }
            // The user must not go on beside a server that pretends to be another.
            Err(error @ Error::Untrusted(_)) => Some(Err(error)),
            Err(error) if self.is_first => Some(Err(error)),
            Err(error) => self.cannot_join(&server, &error.to_string()),
        }
    }

    fn cannot_join(&mut self, server: &str, why: &str) -> Ending {
        self.search_again(RETRY);
        self.tell_once(safe_line(&format!("cannot join {server}: {why}")))
    }

    /// Starts to look for a server.
    pub(super) fn search_again(&mut self, pause: Duration) {
        self.search = Some(search_in_background(self.network.locator.clone(), pause));
    }
}
