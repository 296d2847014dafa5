//! Tests with a server in which direction multicast arrives.

use super::findings::{MulticastFinding, MulticastPaths};
use super::prober::Prober;
use crate::client::Untested;
use crate::discovery::{MulticastTest, Side, Subnet};
use crate::protocol::request::TestToken;
use std::net::SocketAddr;
use tokio::time::{Instant, timeout_at};

pub(super) fn untested(addr: SocketAddr, why: impl ToString) -> MulticastFinding {
    MulticastFinding { addr, result: Err(Untested::Impossible(why.to_string())) }
}

pub(super) async fn test<C: Prober>(
    prober: C,
    addr: SocketAddr,
    subnet: &Subnet,
    end: Instant,
) -> MulticastFinding {
    let mut number = [0; 8];
    if let Err(error) = getrandom::fill(&mut number) {
        return untested(addr, error);
    }
    let token = TestToken::new(u64::from_ne_bytes(number));
    let trial = match MulticastTest::open(subnet, Side::Client, token.as_str()) {
        Ok(trial) => trial,
        Err(error) => return untested(addr, error),
    };
    let both = async { tokio::join!(trial.run(), prober.test(addr, token)) };
    let result = match timeout_at(end, both).await {
        Ok((heard, Ok(out))) => Ok(MulticastPaths { out, back: heard.heard }),
        Ok((_, Err(why))) => Err(why),
        Err(_late) => return untested(addr, "it did not finish in time"),
    };
    MulticastFinding { addr, result }
}
