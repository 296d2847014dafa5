//! Races the addresses of one server: the first that proves its identity wins (RFC 8305, with a shorter
//! delay, and with proof instead of a connection).

use super::order::{in_order, is_v6_link_local, pause};
use super::outcome::Proof;
use crate::limits::{PROBE_STAGGER, PROBE_TIMEOUT};
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// No address proved to be a server.
#[derive(Debug)]
pub struct RaceError<E> {
    /// The addresses in the order of their failures; `None` if there was no answer in time.
    pub failed: Vec<(SocketAddr, Option<E>)>,
}

impl<E: fmt::Display> fmt::Display for RaceError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.failed.is_empty() {
            return f.write_str("no address to try");
        }
        for (at, (addr, error)) in self.failed.iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            match error {
                Some(error) => write!(f, "{comma}{addr}: {error}")?,
                None => write!(f, "{comma}{addr}: no answer")?,
            }
        }
        Ok(())
    }
}

impl<E: fmt::Display + fmt::Debug> std::error::Error for RaceError<E> {}

/// Tries all addresses: IPv4, IPv6, and 100 ms later link-local ones; a new one every 25 ms, each for up to 3
/// s. Returns the first proof with its address, and drops the other attempts.
///
/// # Errors
/// If none succeeds: the error of each.
pub async fn race<T, E, F>(
    addrs: impl IntoIterator<Item = SocketAddr>,
    probe: impl Fn(SocketAddr) -> F,
) -> Result<(SocketAddr, Proof<T>), RaceError<E>>
where
    F: Future<Output = Result<Proof<T>, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let mut attempts = JoinSet::new();
    let mut due = Duration::ZERO;
    let addrs = in_order(addrs);
    let has_wide = addrs.iter().any(|addr| !is_v6_link_local(addr.ip()));
    for addr in addrs {
        let turn = due + pause(&addr, has_wide);
        let attempt = probe(addr);
        attempts.spawn(async move {
            sleep(turn).await;
            (addr, timeout(PROBE_TIMEOUT, attempt).await)
        });
        due += PROBE_STAGGER;
    }
    let mut failed = Vec::new();
    while let Some(ended) = attempts.join_next().await {
        match ended {
            Ok((addr, Ok(Ok(proof)))) => return Ok((addr, proof)),
            Ok((addr, Ok(Err(error)))) => failed.push((addr, Some(error))),
            Ok((addr, Err(_late))) => failed.push((addr, None)),
            Err(error) => tracing::error!(%error, "an attempt to connect panicked"),
        }
    }
    Err(RaceError { failed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(link: u16) -> Proof<u16> {
        Proof { id: "3f9a1c7700112233".into(), name: "office".into(), link }
    }

    fn addrs() -> Vec<SocketAddr> {
        (1..=3).map(|port| SocketAddr::from(([127, 0, 0, 1], port))).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_hangs_does_not_hold_up_the_next() {
        let start = tokio::time::Instant::now();
        let won = race(addrs(), |addr| async move {
            if addr.port() < 3 {
                std::future::pending::<()>().await;
            }
            Ok::<_, String>(proof(addr.port()))
        })
        .await
        .unwrap();
        assert_eq!((won.0.port(), won.1.link), (3, 3));
        assert_eq!(start.elapsed(), 2 * PROBE_STAGGER);
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_tells_no_network_wins_only_where_no_other_answers() {
        let both: [SocketAddr; 2] = ["[fe80::1%2]:7".parse().unwrap(), "10.0.0.1:7".parse().unwrap()];
        let slow = |addr: SocketAddr| async move {
            sleep(Duration::from_millis(if addr.is_ipv4() { 90 } else { 1 })).await;
            Ok::<_, String>(proof(addr.port()))
        };
        assert_eq!(race(both, slow).await.unwrap().0, both[1]);
        let start = tokio::time::Instant::now();
        assert_eq!(race([both[0]], slow).await.unwrap().0, both[0]);
        assert!(start.elapsed() < Duration::from_millis(10), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn when_all_fail_each_says_why() {
        let error = race(addrs(), |addr| async move {
            if addr.port() == 2 {
                std::future::pending::<()>().await;
            }
            Err::<Proof<()>, _>("connection refused")
        })
        .await
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "127.0.0.1:1: connection refused, 127.0.0.1:3: connection refused, \
             127.0.0.1:2: no answer"
        );
    }

    #[tokio::test]
    async fn no_addresses_is_an_error_and_no_panic() {
        let error = race([], |_| async { Err::<Proof<()>, _>("never") }).await.unwrap_err();
        assert_eq!(error.to_string(), "no address to try");
    }
}
