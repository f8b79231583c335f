//! The listening socket: accepts connections, bounds how many there are, and ends them in good order.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    sync::{Notify, Semaphore, watch},
    task::JoinSet,
    time::timeout,
};

use super::{
    Clock, Handle,
    body::Budget,
    connection::{self, Shared},
};

/// Connections at once. One more makes an idle one close; where none is idle, it waits until a request is answered.
const CONNECTIONS: usize = 256;
/// What a request that is running when the server stops may still take: an integration's 29 s would be too long
/// for somebody who pressed Ctrl-C.
const GRACE: Duration = Duration::from_secs(5);
/// Out of file descriptors, accepting fails at once and for ever; a pause lets some connections end.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves `listener` until `stop` completes; then takes no more requests, and lets those that run finish.
pub async fn serve(
    listener: TcpListener,
    handler: Arc<dyn Handle>,
    clock: Clock,
    stop: impl Future<Output = ()> + Send,
) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    let shared = Arc::new(Shared { budget: Budget::new(), is_crowded: Notify::new() });
    let (stopping, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            // Ended tasks are taken out, so that the set does not grow.
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let permit = if let Ok(permit) = Arc::clone(&permits).try_acquire_owned() {
            permit
        } else {
            shared.is_crowded.notify_one();
            tokio::select! {
                biased;
                () = &mut stop => break,
                Ok(permit) = Arc::clone(&permits).acquire_owned() => permit,
            }
        };
        // Small answers are not worth waiting for.
        let _ = stream.set_nodelay(true);
        let (handler, shared) = (Arc::clone(&handler), Arc::clone(&shared));
        let mut stopped = stopped.clone();
        connections.spawn(async move {
            let stop = async move {
                let _ = stopped.wait_for(|stopped| *stopped).await;
            };
            connection::serve(stream, peer, handler.as_ref(), &shared, clock, stop).await;
            drop(permit);
        });
    }
    drop(listener);
    let _ = stopping.send(true);
    let finish = async { while connections.join_next().await.is_some() {} };
    if timeout(GRACE, finish).await.is_err() {
        connections.shutdown().await;
    }
}

#[cfg(test)]
mod tests;
