//! Hedging: a second attempt beside a silent one, whose packet may be lost.

use crate::limits::{HEDGE, HEDGE_PAUSE, MAX_HEDGES};
use std::collections::VecDeque;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Makes an attempt, another one after 300 ms without a result, then one every 500 ms; of more than three, it
/// drops the oldest. Returns the first result, even an error, and drops the others. For attempts that cost
/// the other side almost nothing, such as a TCP connection.
pub async fn hedged<F>(attempt: impl Fn() -> F) -> F::Output
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut attempts = JoinSet::new();
    let mut handles = VecDeque::new();
    let mut pause = HEDGE;
    loop {
        handles.push_back(attempts.spawn(attempt()));
        if handles.len() > MAX_HEDGES
            && let Some(oldest) = handles.pop_front()
        {
            oldest.abort();
        }
        let mut next = std::pin::pin!(sleep(pause));
        loop {
            tokio::select! {
                Some(ended) = attempts.join_next() => match ended {
                    Ok(output) => return output,
                    Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                    // One that was dropped for a newer one.
                    Err(_) => {}
                },
                () = &mut next => break,
            }
        }
        pause = HEDGE_PAUSE;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_ends_in_time_is_the_only_one() {
        let begun = Cell::new(0);
        let ended = hedged(|| {
            begun.set(begun.get() + 1);
            async {
                sleep(HEDGE - Duration::from_millis(1)).await;
                Err::<(), _>("refused")
            }
        });
        assert_eq!(ended.await, Err("refused"));
        assert_eq!(begun.get(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn beside_a_silent_attempt_another_one_wins() {
        let (start, begun) = (Instant::now(), Cell::new(0));
        let won = hedged(|| {
            let number = begun.replace(begun.get() + 1);
            async move {
                if number == 0 {
                    std::future::pending::<()>().await;
                }
                number
            }
        });
        assert_eq!((won.await, start.elapsed()), (1, HEDGE));
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_goes_on_beside_the_second() {
        let begun = Cell::new(0);
        let slow = HEDGE + Duration::from_millis(100);
        let won = hedged(|| {
            let number = begun.replace(begun.get() + 1);
            async move {
                sleep(slow).await;
                number
            }
        });
        assert_eq!(won.await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_three_are_under_way() {
        let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        struct Open(Arc<AtomicUsize>);
        impl Drop for Open {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }
        let endless = hedged(|| {
            let (open, most) = (Arc::clone(&open), Arc::clone(&most));
            async move {
                most.fetch_max(open.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                let _open = Open(open);
                std::future::pending::<()>().await;
            }
        });
        assert!(tokio::time::timeout(Duration::from_secs(60), endless).await.is_err());
        // The one that is dropped may end a moment after its successor has begun.
        assert!((MAX_HEDGES..=MAX_HEDGES + 1).contains(&most.load(Ordering::Relaxed)));
        tokio::task::yield_now().await;
        assert_eq!(open.load(Ordering::Relaxed), 0, "all end with it");
    }
}
