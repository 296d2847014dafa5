//! A wire to the server that breaks after a number of bytes.

use super::dice::Dice;
use anyhow::Result;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

pub struct Wire {
    pub address: SocketAddr,
    /// Connections that it has broken.
    pub breaks: Arc<AtomicUsize>,
}

impl Wire {
    /// Breaks up to `most` connections, each after up to `reach` bytes in both directions together.
    pub fn to(server: SocketAddr, dice: Arc<Dice>, most: usize, reach: u64) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let breaks = Arc::new(AtomicUsize::new(0));
        let (left, broken) = (Arc::new(AtomicUsize::new(most)), Arc::clone(&breaks));
        // Ends with the program: a listener cannot be woken.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(server) else { continue };
                let is_to_break = left.load(Ordering::SeqCst) > 0;
                let bytes = if is_to_break { dice.below(reach) as i64 + 1 } else { i64::MAX };
                let (budget, left, broken) =
                    (Arc::new(AtomicI64::new(bytes)), Arc::clone(&left), Arc::clone(&broken));
                let ends = Arc::new((client, server));
                for is_up in [true, false] {
                    let (ends, budget, left, broken) =
                        (Arc::clone(&ends), Arc::clone(&budget), Arc::clone(&left), Arc::clone(&broken));
                    std::thread::spawn(move || {
                        let (from, to) = if is_up { (&ends.0, &ends.1) } else { (&ends.1, &ends.0) };
                        if pump(from, to, &budget) {
                            left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                                .ok();
                            broken.fetch_add(1, Ordering::SeqCst);
                            for end in [&ends.0, &ends.1] {
                                let _ = end.shutdown(Shutdown::Both);
                            }
                        } else {
                            let _ = to.shutdown(Shutdown::Write);
                        }
                    });
                }
            }
        });
        Ok(Self { address, breaks })
    }
}

/// Passes bytes on until one side ends; `true`: it is to break here.
fn pump(mut from: &TcpStream, mut to: &TcpStream, budget: &AtomicI64) -> bool {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let before = budget.fetch_sub(read as i64, Ordering::SeqCst);
        if before <= 0 {
            return false;
        }
        let passed = read.min(before as usize);
        if to.write_all(&buffer[..passed]).is_err() {
            return false;
        }
        if passed < read || before == read as i64 {
            return true;
        }
    }
    false
}
