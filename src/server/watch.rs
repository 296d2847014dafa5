//! The task that watches over the clock and over what the store finds out by itself, and tells operators
//! and authors. Sleeps between two looks; ends with the hub.

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
    hub.expired(news.expired);
    if let Some(is_full) = news.is_full_of_mail {
        hub.set_mail_full(is_full);
    }
}

/// Says once that the clock is doubtful, and once that it is right again.
fn look_at_clock(hub: &Hub, was_doubtful: bool) -> bool {
    let reading = hub.clock();
    match (was_doubtful, reading.is_doubtful) {
        (false, true) => {
            let why = why(&reading);
            tracing::warn!("{why}");
            hub.doubt_clock(Some(why.into()));
        }
        (true, false) => {
            tracing::info!("the clock is right again: {:.0}", reading.wall);
            hub.doubt_clock(None);
        }
        _ => {}
    }
    reading.is_doubtful
}

fn why(reading: &Reading) -> String {
    let Reading { wall, settled, .. } = reading;
    let it_says = format!("this machine's clock says {wall:.0}");
    let remedy = "nothing is deleted for it; set the clock (timedatectl) if it is wrong";
    if reading.is_unset() {
        return format!("{it_says}, so it was never set: {remedy}");
    }
    let why = if wall > settled { ", unless it was off meanwhile" } else { "" };
    format!("{it_says}, but by how long the server has run it should be {settled:.0}{why}: {remedy}")
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
            "this machine's clock says 2027-11-27T12:00:00Z, but by how long the server has run it should be \
             2026-11-27T12:00:01Z, unless it was off meanwhile: nothing is deleted for it; set the clock \
             (timedatectl) if it is wrong"
        );
    }
}
