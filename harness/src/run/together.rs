//! Futures that wait for each other, run by the task that awaits them.
//!
//! As tasks of their own, two ends and the relay between them would wake a thread for each message that passes.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;

/// How often each of them is polled before the task lets others run.
const TURNS: usize = 64;

/// Completes when all of them have.
pub(super) async fn together<const N: usize>(
    mut futures: [Pin<&mut (dyn Future<Output = ()> + Send)>; N],
) {
    let task = Arc::new(Task::default());
    let places: [Arc<Place>; N] = std::array::from_fn(|_| Arc::new(Place::of(&task)));
    let wakers = places
        .each_ref()
        .map(|place| Waker::from(Arc::clone(place)));
    let mut is_done = [false; N];
    std::future::poll_fn(|context| {
        task.waker.register(context.waker());
        for _ in 0..TURNS {
            task.is_polling.store(true, Ordering::SeqCst);
            for (number, future) in futures.iter_mut().enumerate() {
                if !is_done[number] && places[number].is_due.swap(false, Ordering::SeqCst) {
                    let mut context = Context::from_waker(&wakers[number]);
                    is_done[number] = future.as_mut().poll(&mut context).is_ready();
                }
            }
            if is_done.iter().all(|is_done| *is_done) {
                return Poll::Ready(());
            }
            // Who is woken from here on wakes the task; who was before has another turn.
            task.is_polling.store(false, Ordering::SeqCst);
            let mut waiting = places.iter().zip(is_done).filter(|(_, is_done)| !is_done);
            if !waiting.any(|(place, _)| place.is_due.load(Ordering::SeqCst)) {
                return Poll::Pending;
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// The task that polls.
#[derive(Default)]
struct Task {
    waker: AtomicWaker,
    is_polling: AtomicBool,
}

/// One of the futures, as what it waits for knows it.
struct Place {
    is_due: AtomicBool,
    task: Arc<Task>,
}

impl Place {
    fn of(task: &Arc<Task>) -> Self {
        Self {
            is_due: AtomicBool::new(true),
            task: Arc::clone(task),
        }
    }
}

impl Wake for Place {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_due.store(true, Ordering::SeqCst);
        if !self.task.is_polling.load(Ordering::SeqCst) {
            self.task.waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::task::yield_now;
    use tokio::time::timeout;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn ends_that_wait_for_each_other_complete() {
        let (mut one, mut other) = tokio::io::duplex(1);
        let asks = async {
            for octet in 0..200 {
                one.write_u8(octet).await.unwrap();
                assert_eq!(one.read_u8().await.unwrap(), octet);
            }
        };
        let answers = async {
            for _ in 0..200 {
                let octet = other.read_u8().await.unwrap();
                other.write_u8(octet).await.unwrap();
            }
        };
        let asks = pin!(asks);
        let answers = pin!(answers);
        let both = together([asks, answers]);
        timeout(DEADLINE, both).await.unwrap();
    }

    #[tokio::test]
    async fn who_is_woken_from_elsewhere_goes_on() {
        let (one, other) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || one.send(7).unwrap());
        let waits = async { assert_eq!(other.await, Ok(7)) };
        let sleeps = async { tokio::time::sleep(Duration::from_millis(1)).await };
        let waits = pin!(waits);
        let sleeps = pin!(sleeps);
        let both = together([waits, sleeps]);
        timeout(DEADLINE, both).await.unwrap();
        thread.join().unwrap();
    }

    #[tokio::test]
    async fn who_never_waits_lets_others_run() {
        let busy = async {
            loop {
                yield_now().await;
            }
        };
        let busy = pin!(busy);
        let all = together([busy]);
        timeout(Duration::from_millis(10), all).await.unwrap_err();
    }
}
