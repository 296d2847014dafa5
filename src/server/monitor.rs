//! A task that watches the clock and the store's news, and tells operators and authors. Ends with the hub.

use super::hub::Hub;
use crate::clock::Reading;
use crate::limits::CLOCK_LOOKED_AT;
use crate::store::{Notices, Store};
use std::sync::Arc;

/// Runs until the hub is closed.
pub(super) async fn run(hub: Arc<Hub>, store: Option<Store>) {
    let mut is_doubtful = false;
    loop {
        is_doubtful = look_at_clock(&hub, is_doubtful);
        tokio::select! {
            () = tokio::time::sleep(CLOCK_LOOKED_AT) => {}
            () = hub.clock_turned() => {}
            news = news(store.as_ref()) => tell(&hub, news),
            () = hub.closed() => return,
        }
    }
}

async fn news(store: Option<&Store>) -> Notices {
    match store {
        Some(store) => store.notices().await,
        None => std::future::pending().await,
    }
}

fn tell(hub: &Hub, news: Notices) {
    if !news.expired.is_empty() {
        hub.act(|chat, now, out| chat.expired(news.expired, now, out));
    }
    if let Some(is_full) = news.is_full_of_mail {
        hub.act(|chat, _, _| chat.set_mail_full(is_full));
    }
}

/// Reports once that the clock is doubtful, and once that it is right again.
fn look_at_clock(hub: &Hub, was_doubtful: bool) -> bool {
    let reading = hub.clock();
    match (was_doubtful, reading.is_doubtful) {
        (false, true) => {
            let why = why(&reading);
            tracing::warn!(event = "clock_doubtful", "{why}");
            hub.act(|chat, _, out| chat.doubt_clock(Some(why.into()), out));
        }
        (true, false) => {
            tracing::info!(event = "clock_right", "the clock is right again: {:.0}", reading.wall);
            hub.act(|chat, _, out| chat.doubt_clock(None, out));
        }
        _ => {}
    }
    reading.is_doubtful
}

fn why(reading: &Reading) -> String {
    let Reading { wall, settled, .. } = reading;
    let it_says = format!("this machine's clock says {wall:.0}");
    let remedy = "no data is deleted because of it; if the clock is wrong, set it (timedatectl)";
    if reading.is_unset() {
        return format!("{it_says}, so it was never set: {remedy}");
    }
    let why = if wall > settled { ", unless it was off in between" } else { "" };
    format!("{it_says}, but by the server's uptime it should be {settled:.0}{why}: {remedy}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use jiff::Timestamp;
    use std::time::Duration;

    #[test]
    fn a_doubt_says_what_the_clock_shows_what_it_should_and_what_to_do() {
        let right: Timestamp = "2026-11-27T12:00:00Z".parse().unwrap();
        let clock = Clock::held("1970-01-01T00:01:00Z".parse().unwrap(), Duration::ZERO);
        let text = why(&clock.now());
        assert!(text.starts_with("this machine's clock says 1970-01-01T00:01:00Z, so it was never set:"));
        clock.hold(right, Duration::from_secs(1));
        assert!(!clock.now().is_doubtful);
        clock.hold("2027-11-27T12:00:00Z".parse().unwrap(), Duration::from_secs(2));
        assert_eq!(
            why(&clock.now()),
            "this machine's clock says 2027-11-27T12:00:00Z, but by the server's uptime it should be \
             2026-11-27T12:00:01Z, unless it was off in between: no data is deleted because of it; if the clock is \
             wrong, set it (timedatectl)"
        );
    }
}
