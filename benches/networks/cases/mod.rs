//! The networks, and what is tried in each.

mod blocked;
mod crowded;
mod finding;
mod moving;

use super::figures::{Outcome, Times};
use super::lan::{Addressing, Host, Lan};
use super::options::Plan;
use super::person::Person;
use std::time::{Duration, Instant};

/// After this a case makes no further try.
const ENOUGH: Duration = Duration::from_secs(25);

pub struct Case {
    pub name: String,
    /// The figure, or the words, of 26 November 2026.
    pub then: &'static str,
    /// Whether `--quick` leaves it out.
    pub slow: bool,
    /// Whether it mostly waits, so that others may run beside it.
    pub waits: bool,
    pub run: Box<dyn Fn(&Plan) -> Outcome + Send + Sync>,
}

impl Case {
    fn new(
        name: impl Into<String>,
        then: &'static str,
        run: impl Fn(&Plan) -> Outcome + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), then, slow: false, waits: false, run: Box::new(run) }
    }

    fn slow(self) -> Self {
        Self { slow: true, ..self }
    }

    fn waits(self) -> Self {
        Self { waits: true, ..self }
    }
}

pub fn all() -> Vec<Case> {
    [finding::all(), crowded::all(), moving::all(), blocked::all()].into_iter().flatten().collect()
}

/// A network with a host for the server and one for a client.
struct Pair {
    lan: Lan,
    server: Host,
    client: Host,
    /// Whose the server is.
    owner: Person,
}

impl Pair {
    fn new(addressing: Addressing) -> Self {
        let lan = Lan::new().expect("network namespaces");
        let (server, client) = (lan.host_with(addressing), lan.host_with(addressing));
        Self { lan, server, client, owner: Person::new() }
    }

    /// A person whose client has used the running server.
    fn acquainted(&self) -> Person {
        let person = Person::new();
        let met = person.send(&self.client, &[]);
        assert!(met.is_good(), "could not get to know the server: {}", met.verdict());
        person
    }
}

/// How long each of so many tries took, or of as many as there is time for.
fn tries(plan: &Plan, usual: usize, mut one: impl FnMut(usize) -> Option<Duration>) -> Outcome {
    let (start, mut times) = (Instant::now(), Times::default());
    for n in 0..plan.tries(usual) {
        if n > 0 && start.elapsed() > ENOUGH {
            break;
        }
        times.push(one(n));
    }
    Outcome::Times(times)
}

/// How long it takes people who were never there to send a message; the same person again if there is one.
fn sends(plan: &Plan, usual: usize, client: &Host, known: Option<&Person>, args: &[&str]) -> Outcome {
    tries(plan, usual, |_| {
        let newcomer = known.is_none().then(Person::new);
        let said = known.or(newcomer.as_ref()).expect("a person").send(client, args);
        said.is_good().then_some(said.took)
    })
}
