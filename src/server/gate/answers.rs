//! The pace of answers to browsers. A request has 60 bytes, and its answer may have 30,000.

use super::Pass;
use crate::limits::{
    WEB_BURST, WEB_BURST_LIGHT, WEB_BURST_PER_ADDRESS, WEB_BURST_PER_NETWORK, WEB_BYTES, WEB_BYTES_LIGHT,
    WEB_BYTES_PER_ADDRESS, WEB_BYTES_PER_NETWORK, WEB_WAIT,
};
use crate::pace::Rate;
use std::time::Duration;

/// Bytes per second: per address, per network, in total; and the same for addresses that have had much lately, which leave
/// half of each burst to others.
const EACH: Rate = Rate::every(1, WEB_BYTES_PER_ADDRESS, WEB_BURST_PER_ADDRESS);
const NET: Rate = Rate::every(1, WEB_BYTES_PER_NETWORK, WEB_BURST_PER_NETWORK);
const NET_HALF: Rate = Rate::every(1, WEB_BYTES_PER_NETWORK, WEB_BURST_PER_NETWORK / 2);
const ALL: Rate = Rate::every(1, WEB_BYTES, WEB_BURST);
const ALL_HALF: Rate = Rate::every(1, WEB_BYTES, WEB_BURST / 2);

/// Tells whether an address has had little lately.
const LIGHT: Rate = Rate::every(1, WEB_BYTES_LIGHT, WEB_BURST_LIGHT);

impl Pass {
    /// How long an answer of so many bytes must wait. `None`: longer than [`WEB_WAIT`], so it is not to be sent.
    pub(in crate::server) fn answer_delay(&self, bytes: usize, now: Duration) -> Option<Duration> {
        let mut state = self.gate.lock();
        let mut is_light = true;
        state.each(self, |n, row| is_light &= n > 0 || row.answers_lately.wait(LIGHT, now).is_zero());
        let (around, all) = if is_light { (NET, ALL) } else { (NET_HALF, ALL_HALF) };
        let rates = [EACH, around];
        let mut wait = state.answers.wait(all, now);
        state.each(self, |n, row| wait = wait.max(row.answers.wait(rates[n], now)));
        if wait > WEB_WAIT {
            return None;
        }
        state.each(self, |n, row| {
            row.answers.spend(bytes as u64, rates[n], now);
            match is_light {
                true => row.answers_lately.spend(bytes as u64, LIGHT, now),
                // Without debts: once it asks for less, it has soon had little.
                false => row.answers_lately.drain(bytes as u64, LIGHT, now),
            }
        });
        state.answers.spend(bytes as u64, all, now);
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Gate, GateLimits};
    use super::*;
    use crate::server::journal::ServerJournal;
    use std::net::IpAddr;
    use std::sync::Arc;

    const SECOND: Duration = Duration::from_secs(1);
    const FILE: usize = 30_000;

    fn gate() -> Arc<Gate> {
        Gate::new(GateLimits { max_per_address: None, max_clients: 1000 }, ServerJournal::silent())
    }

    /// Bytes that one who asks without end gets from these addresses in that time.
    fn flood(gate: &Arc<Gate>, from: &[IpAddr], time: Duration) -> u64 {
        let passes: Vec<Pass> = from.iter().map(|ip| gate.enter(*ip, false, SECOND).0).collect();
        let (mut now, mut got) = (SECOND, 0);
        while now < SECOND + time {
            for pass in &passes {
                while pass.answer_delay(FILE, now).is_some() {
                    got += FILE as u64;
                }
            }
            now += Duration::from_millis(10);
        }
        got
    }

    fn host(n: u8) -> IpAddr {
        [192, 168, 1, n].into()
    }

    /// Answers that wait at the end of a flood count, too. Paces are whole nanoseconds per byte, which is not exact.
    fn most(rate: u32, burst: u32, time: Duration) -> u64 {
        (u64::from(rate) * (time + WEB_WAIT).as_secs() + u64::from(burst) + FILE as u64) * 101 / 100
    }

    #[test]
    fn an_address_gets_no_more_bytes_than_its_pace_and_its_burst() {
        let got = flood(&gate(), &[host(1)], 60 * SECOND);
        let most = most(WEB_BYTES_PER_ADDRESS, WEB_BURST_PER_ADDRESS, 60 * SECOND);
        assert!(got <= most && got > most * 9 / 10, "{got} of {most}");
    }

    #[test]
    fn a_network_and_all_together_get_no_more_either() {
        let neighbours: Vec<IpAddr> = (1..200).map(host).collect();
        let got = flood(&gate(), &neighbours, 20 * SECOND);
        let bound = most(WEB_BYTES_PER_NETWORK, WEB_BURST_PER_NETWORK, 20 * SECOND);
        assert!(got <= bound, "{got} of {bound}");
        let strangers: Vec<IpAddr> = (1..200).map(|n| [10, n, 0, 1].into()).collect();
        let got = flood(&gate(), &strangers, 20 * SECOND);
        let bound = most(WEB_BYTES, WEB_BURST, 20 * SECOND);
        assert!(got <= bound, "{got} of {bound}");
    }

    #[test]
    fn neighbours_of_a_flood_get_the_page_at_once() {
        let gate = gate();
        let hostile: Vec<IpAddr> = (1..60).map(host).collect();
        flood(&gate, &hostile, 30 * SECOND);
        let (neighbour, _) = gate.enter(host(200), false, SECOND);
        for file in 0..20 {
            assert_eq!(neighbour.answer_delay(3000, 31 * SECOND), Some(Duration::ZERO), "{file}");
        }
    }

    #[test]
    fn this_machine_s_own_browsers_share_only_the_total() {
        let (own, _) = gate().enter([127, 0, 0, 1].into(), false, SECOND);
        for _ in 0..2 * WEB_BURST_PER_ADDRESS as usize / FILE {
            assert_eq!(own.answer_delay(FILE, SECOND), Some(Duration::ZERO));
        }
    }
}
