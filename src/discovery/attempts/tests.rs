//! Searches as claims, in time that is paused: what is tried again, how often, and whom nobody keeps out.

use super::*;
use crate::discovery::{HeardBy, RememberedServer, find};
use crate::limits::{BESIDE_PAUSE, PROBE_TIMEOUT, RETRY_LONGEST, SETTLE};
use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{sleep, sleep_until};

const OFFICE: &str = "3f9a1c7700112233";

fn addr(number: u16) -> SocketAddr {
    SocketAddr::from(([10, 0, (number >> 8) as u8, number as u8], 7667))
}

fn known(id: &str, number: u16, last_used: bool) -> RememberedServer {
    RememberedServer {
        id: id.into(),
        name: "office".into(),
        addrs: vec![addr(number)],
        named: Vec::new(),
        last_used,
    }
}

fn options(known: Vec<RememberedServer>) -> FindOptions {
    FindOptions { known, discovery: false, timeout: Duration::from_secs(5), ..FindOptions::default() }
}

/// A search that goes on for longer than anybody waits at a prompt.
fn patient(known: Vec<RememberedServer>) -> FindOptions {
    FindOptions { timeout: Duration::from_secs(20), ..options(known) }
}

fn proof(id: &str) -> Proof<()> {
    Proof { id: id.into(), name: "office".into(), link: () }
}

fn announced(number: u16) -> Sighting {
    let name = format!("fake{number}");
    let txt = [("id".to_owned(), format!("{number:016x}")), ("n".to_owned(), name.clone())];
    Sighting::new(&name, txt, [addr(number)], HeardBy { browse: true, one_shot: false })
}

/// Runs the attempts until something has proved itself.
async fn run<T, F, P, E>(attempts: &mut ConnectAttempts<T, P>, end: Instant) -> Option<Duration>
where
    P: Fn(SocketAddr) -> F,
    F: Future<Output = Result<Proof<T>, E>> + Send + 'static,
    T: Send + 'static,
    E: Error + Send + 'static,
{
    let start = Instant::now();
    while attempts.is_open() {
        let due = attempts.due().unwrap_or(end);
        tokio::select! {
            Some(ended) = attempts.ended() => attempts.take(ended),
            () = sleep_until(due) => attempts.tend(),
            () = sleep_until(end) => return None,
        }
    }
    Some(start.elapsed())
}

/// A server that listens from `up` on, and refuses before.
fn listens_from(up: Instant, begun: &Arc<AtomicUsize>) -> impl Fn(SocketAddr) -> ProbeOf + use<> {
    let begun = Arc::clone(begun);
    move |_| {
        begun.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            match Instant::now() >= up {
                true => Ok(proof(OFFICE)),
                false => Err(io::Error::from(ErrorKind::ConnectionRefused)),
            }
        })
    }
}

type ProbeOf = std::pin::Pin<Box<dyn Future<Output = io::Result<Proof<()>>> + Send>>;

#[tokio::test(start_paused = true)]
async fn a_server_that_starts_later_is_joined_soon_after() {
    for late in [50, 300, 1000, 2000, 3000, 4500] {
        let up = Instant::now() + Duration::from_millis(late);
        let begun = Arc::new(AtomicUsize::new(0));
        let probe = listens_from(up, &begun);
        let outcome = find(options(vec![known(OFFICE, 1, true)]), probe, || {}).await;
        assert!(matches!(outcome, FindOutcome::Found(_)), "{late} ms: {outcome:?}");
        let bound = if late <= 3000 { Duration::from_millis(300) } else { RETRY_LONGEST };
        assert!(Instant::now() <= up + bound, "{late} ms: {:?} after it", Instant::now() - up);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusing_address_is_tried_a_few_times_a_second_and_no_more() {
    let (begun, never) = (Arc::new(AtomicUsize::new(0)), Instant::now() + Duration::from_secs(99));
    let outcome = find(options(vec![known(OFFICE, 1, true)]), listens_from(never, &begun), || {}).await;
    let FindOutcome::Nothing(tried) = outcome else { panic!("{outcome:?}") };
    assert_eq!(tried.failed.len(), 1, "one address, told of once: {:?}", tried.failed);
    assert_eq!(tried.failed[0].why, ConnectFailure::Refused);
    assert!((14..=30).contains(&begun.load(Ordering::Relaxed)), "{begun:?}");
}

#[tokio::test(start_paused = true)]
async fn many_refusing_servers_share_a_pace() {
    let (begun, never) = (Arc::new(AtomicUsize::new(0)), Instant::now() + Duration::from_secs(99));
    let many = (0..250).map(|n| known(&format!("{n:016x}"), n, false)).collect();
    find(options(many), listens_from(never, &begun), || {}).await;
    assert!(begun.load(Ordering::Relaxed) < 250 + 5 * 700, "{begun:?}");
}

#[tokio::test(start_paused = true)]
async fn whoever_answers_and_is_not_the_server_is_asked_seldom() {
    let begun = AtomicUsize::new(0);
    let probe = |_| {
        begun.fetch_add(1, Ordering::Relaxed);
        async { Err::<Proof<()>, _>(io::Error::other("the server is full")) }
    };
    let outcome = find(options(vec![known(OFFICE, 1, true)]), probe, || {}).await;
    let FindOutcome::Nothing(tried) = outcome else { panic!("{outcome:?}") };
    assert_eq!(tried.failed[0].why, ConnectFailure::Said("the server is full".into()));
    assert!((2..=4).contains(&begun.load(Ordering::Relaxed)), "{begun:?}");
}

#[tokio::test(start_paused = true)]
async fn beside_a_silent_attempt_a_second_begins_and_the_first_goes_on() {
    for (first_takes, second_takes) in [(60_000, 10), (10_500, 60_000)] {
        let begun = AtomicUsize::new(0);
        let start = Instant::now();
        let probe = |_| {
            let number = begun.fetch_add(1, Ordering::Relaxed);
            async move {
                sleep(Duration::from_millis(if number == 0 { first_takes } else { second_takes })).await;
                Ok::<_, io::Error>(proof(OFFICE))
            }
        };
        let outcome = find(patient(vec![known(OFFICE, 1, true)]), probe, || {}).await;
        assert!(matches!(outcome, FindOutcome::Found(_)), "{outcome:?}");
        assert!(start.elapsed() < BESIDE_PAUSE + Duration::from_secs(1), "{:?}", start.elapsed());
        assert_eq!(begun.load(Ordering::Relaxed), 2);
    }
}

/// The handshakes that a server is asked for, with so many clients at once, one at a time, each of them so
/// long. The server also completes handshakes that no client waits for any longer, because it cannot know.
async fn handshakes(clients: usize, each: Duration) -> usize {
    let begun = Arc::new(AtomicUsize::new(0));
    let line = Arc::new(tokio::sync::Semaphore::new(1));
    let mut all = JoinSet::new();
    for _ in 0..clients {
        let (begun, line) = (Arc::clone(&begun), Arc::clone(&line));
        all.spawn(async move {
            let probe = move |_| {
                begun.fetch_add(1, Ordering::Relaxed);
                let line = Arc::clone(&line);
                let work = tokio::spawn(async move {
                    let _turn = line.acquire_owned().await;
                    sleep(each).await;
                });
                async move { work.await.map_err(io::Error::other).map(|()| proof(OFFICE)) }
            };
            find(patient(vec![known(OFFICE, 1, true)]), probe, || {}).await
        });
    }
    while let Some(outcome) = all.join_next().await {
        assert!(matches!(outcome, Ok(FindOutcome::Found(_))));
    }
    begun.load(Ordering::Relaxed)
}

#[tokio::test(start_paused = true)]
async fn a_storm_costs_a_server_one_handshake_a_client_while_it_keeps_up() {
    // All are in after 9 s.
    assert_eq!(handshakes(900, Duration::from_millis(10)).await, 900);
}

#[tokio::test(start_paused = true)]
async fn remembered_servers_and_a_silent_flood_keep_no_announced_server_out() {
    let many =
        (0..MAX_KNOWN_SERVERS as u16).map(|n| known(&format!("{:016x}", 0xf000 + n), 0x4000 + n, n == 0));
    let real = addr(0x3fff);
    let probe = |addr| async move {
        if addr != real {
            std::future::pending::<()>().await;
        }
        sleep(Duration::from_millis(20)).await;
        Ok::<_, io::Error>(proof("0000000000003fff"))
    };
    let mut attempts = ConnectAttempts::new(&options(many.collect()), probe);
    for fake in 0..2 * MAX_CANDIDATES as u16 {
        attempts.sight(announced(fake));
    }
    attempts.tend();
    sleep(Duration::from_millis(100)).await;
    attempts.sight(announced(0x3fff));
    let took = run(&mut attempts, Instant::now() + Duration::from_secs(5)).await;
    assert!(took.is_some_and(|took| took < 3 * PROBE_TURN), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn the_bounds_hold_and_the_oldest_failure_makes_room() {
    let open = Arc::new(AtomicUsize::new(0));
    struct Open(Arc<AtomicUsize>);
    impl Drop for Open {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }
    let probe = |_| {
        open.fetch_add(1, Ordering::Relaxed);
        let open = Open(Arc::clone(&open));
        async move {
            let _open = open;
            std::future::pending::<io::Result<Proof<()>>>().await
        }
    };
    let mut attempts = ConnectAttempts::new(&options(Vec::new()), probe);
    for fake in 0..3 * MAX_CANDIDATES as u16 {
        attempts.sight(announced(fake));
    }
    run(&mut attempts, Instant::now() + Duration::from_secs(2)).await;
    assert_eq!(attempts.candidates.len(), MAX_CANDIDATES);
    assert!(open.load(Ordering::Relaxed) <= MAX_PROBES + 1, "{open:?}");
    attempts.sight(announced(0x7fff));
    assert_eq!(attempts.candidates.len(), MAX_CANDIDATES);
    assert!(attempts.candidates.iter().any(|one| one.name.as_deref() == Some("fake32767")));
}

#[tokio::test(start_paused = true)]
async fn what_is_announced_anew_is_tried_at_once_and_no_more_often_than_ten_times_a_second() {
    let (up, begun) = (Instant::now() + Duration::from_secs(3), Arc::new(AtomicUsize::new(0)));
    let mut attempts = ConnectAttempts::new(&options(Vec::new()), listens_from(up, &begun));
    attempts.sight(announced(7));
    run(&mut attempts, Instant::now() + Duration::from_millis(2950)).await;
    let before = begun.load(Ordering::Relaxed);
    sleep_until(up).await;
    (0..1000).for_each(|_| attempts.sight(announced(7)));
    run(&mut attempts, Instant::now() + Duration::from_millis(99)).await;
    assert!(begun.load(Ordering::Relaxed) <= before + 2, "{begun:?}, {before}");
    assert!(attempts.candidates.iter().all(|one| !one.endpoints.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn a_retry_is_not_waited_for() {
    let (refused, good) = (addr(1), addr(2));
    let start = Instant::now();
    let probe = |addr| async move {
        if addr == refused {
            return Err(io::Error::from(ErrorKind::ConnectionRefused));
        }
        sleep(Duration::from_secs(1)).await;
        Ok(proof("0000000000000002"))
    };
    let mut known = known("0000000000000002", 2, false);
    known.addrs = vec![good];
    let known = vec![self::known(OFFICE, 1, true), known];
    let outcome = find(options(known), probe, || {}).await;
    assert!(matches!(outcome, FindOutcome::Found(_)), "{outcome:?}");
    assert_eq!(start.elapsed(), Duration::from_secs(1) + SETTLE);
}

#[tokio::test(start_paused = true)]
async fn a_mistyped_name_ends_the_search_soon_and_the_names_there_are_are_told() {
    let mut options = options(vec![known(OFFICE, 1, false), known("a0b1c2d3e4f50617", 2, false)]);
    options.wanted = Some("offcie".into());
    let ids = Mutex::new(HashMap::from([(addr(1), OFFICE), (addr(2), "a0b1c2d3e4f50617")]));
    let start = Instant::now();
    let probe = |addr| {
        let id = ids.lock().unwrap()[&addr];
        async move { Ok::<_, io::Error>(proof(id)) }
    };
    let outcome = find(options, probe, || {}).await;
    let FindOutcome::Nothing(tried) = outcome else { panic!("{outcome:?}") };
    assert_eq!(tried.others, ["office (3f9a1c77)", "office (a0b1c2d3)"]);
    assert!(start.elapsed() <= OTHERS_QUIET + Duration::from_millis(50), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_known_name_is_waited_for_though_others_are_there() {
    let mut options = options(vec![known("a0b1c2d3e4f50617", 2, false)]);
    options.known.push(RememberedServer { name: "home".into(), ..known(OFFICE, 1, false) });
    options.wanted = Some("home".into());
    let up = Instant::now() + Duration::from_secs(4);
    let probe = |at| async move {
        match at {
            at if at == addr(2) => Ok(proof("a0b1c2d3e4f50617")),
            _ if Instant::now() < up => Err(io::Error::from(ErrorKind::ConnectionRefused)),
            _ => Ok(Proof { id: OFFICE.into(), name: "home".into(), link: () }),
        }
    };
    let outcome = find(options, probe, || {}).await;
    assert!(matches!(outcome, FindOutcome::Found(_)), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn an_announcement_leads_to_no_port_of_the_system_and_to_no_machine_of_the_internet() {
    let begun = AtomicUsize::new(0);
    let probe = |_| {
        begun.fetch_add(1, Ordering::Relaxed);
        async { Err::<Proof<()>, _>(io::Error::from(ErrorKind::ConnectionRefused)) }
    };
    let mut attempts = ConnectAttempts::new(&options(Vec::new()), probe);
    for target in ["10.0.0.1:22", "8.8.8.8:7667", "[2001:4860:4860::8888]:7667"] {
        attempts.sight(Sighting { addrs: vec![target.parse().unwrap()], ..announced(1) });
        attempts.tend();
    }
    sleep(Duration::from_millis(10)).await;
    assert_eq!(begun.load(Ordering::Relaxed), 0);
    let FindOutcome::Nothing(tried) = attempts.conclude(|_| {}) else { panic!("found") };
    assert!(tried.failed.iter().all(|failed| failed.why == ConnectFailure::Elsewhere) && tried.is_here());
    // The user's own choice is another thing.
    let chosen = RememberedServer { addrs: vec!["8.8.8.8:22".parse().unwrap()], ..known(OFFICE, 1, true) };
    ConnectAttempts::new(&options(vec![chosen]), probe).tend();
    assert_eq!(begun.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_is_off_is_not_taken_for_a_firewall_by_a_later_attempt() {
    let start = Instant::now();
    let unreachable = |_| async move {
        // The system gives up all attempts when nobody has answered for so long.
        sleep_until(start + PROBE_TIMEOUT + Duration::from_millis(50)).await;
        Err::<Proof<()>, _>(io::Error::from(ErrorKind::HostUnreachable))
    };
    let outcome = find(options(vec![known(OFFICE, 1, true)]), unreachable, || {}).await;
    let FindOutcome::Nothing(tried) = outcome else { panic!("{outcome:?}") };
    assert_eq!(tried.failed[0].why, ConnectFailure::Nobody);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_a_server_has_named_is_tried_once_until_it_is_announced() {
    let begun = Arc::new(Mutex::new(HashMap::<SocketAddr, usize>::new()));
    let probe = |addr| {
        *begun.lock().unwrap().entry(addr).or_default() += 1;
        async { Err::<Proof<()>, _>(io::Error::from(ErrorKind::ConnectionRefused)) }
    };
    let office = RememberedServer { named: vec![addr(2), addr(1)], ..known(OFFICE, 1, true) };
    let mut attempts = ConnectAttempts::new(&options(vec![office]), probe);
    run(&mut attempts, Instant::now() + Duration::from_secs(3)).await;
    let tried = |number| begun.lock().unwrap().get(&addr(number)).copied().unwrap_or_default();
    assert!(tried(1) > 3 && tried(2) == 1, "{} and {}", tried(1), tried(2));
    attempts.sight(Sighting { id: Some(OFFICE.into()), ..announced(2) });
    run(&mut attempts, Instant::now() + Duration::from_secs(3)).await;
    assert!(tried(2) > 3, "{}", tried(2));
}
