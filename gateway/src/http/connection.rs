//! One connection: request after request, each within its time limits, until either side ends it.

use std::{future::Future, io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader},
    sync::Notify,
    time::timeout,
};

use super::{
    Clock, Handle, ReadError, Refused, Request, Response,
    body::{self, Budget, Share},
    head::{self, Head},
    write::encode,
};

/// How long an open connection may wait for its next request.
const IDLE: Duration = Duration::from_mins(1);
/// From a request's first byte to the end of its headers.
const HEAD: Duration = Duration::from_secs(10);
/// From the end of the headers to the end of the body.
const BODY: Duration = Duration::from_secs(30);
/// For the whole answer to be taken.
const WRITE: Duration = Duration::from_secs(30);
/// For the rest of a request that was refused unread.
const READ_BYTES: usize = 16 * 1024;
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: u64 = 2 * body::BODY_BYTES as u64;

/// What all connections of a server share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) budget: Budget,
    /// Notified when a client waits for a connection: an idle one then closes.
    pub(super) is_crowded: Notify,
}

/// Serves `stream` until it closes, fails, or `stop` completes between two requests.
pub(super) async fn serve<S>(
    stream: S,
    peer: SocketAddr,
    handler: &dyn Handle,
    shared: &Shared,
    clock: Clock,
    stop: impl Future<Output = ()>,
) where
    S: AsyncRead + AsyncWrite,
{
    let (reader, mut writer) = tokio::io::split(stream);
    let mut source = BufReader::with_capacity(READ_BYTES, reader);
    let mut stop = std::pin::pin!(stop);
    loop {
        let is_there = tokio::select! {
            biased;
            () = &mut stop => return,
            there = timeout(IDLE, source.fill_buf()) => matches!(there, Ok(Ok([_, ..]))),
            () = shared.is_crowded.notified() => return,
        };
        if !is_there {
            return;
        }
        let (response, with_body, keep_alive) =
            match next(&mut source, &mut writer, &shared.budget, peer).await {
                Ok((request, share, keep_alive)) => {
                    let with_body = request.method != "HEAD";
                    let response = handler.answer(request).await;
                    drop(share);
                    (response, with_body, keep_alive)
                }
                Err(ReadError::Refused(refused)) => (handler.refuse(refused, peer), true, false),
                Err(ReadError::Disconnected) => return,
            };
        if send(&mut writer, &response, with_body, keep_alive, clock).await.is_err() {
            return;
        }
        if !keep_alive {
            // Closing with bytes unread would reset the connection, and the client might lose the answer with it.
            if writer.shutdown().await.is_ok() {
                let (mut rest, mut nowhere) = (source.take(LINGER_BYTES), tokio::io::sink());
                let _ = timeout(LINGER, tokio::io::copy_buf(&mut rest, &mut nowhere)).await;
            }
            return;
        }
    }
}

/// The next request, and whether the connection stays open after it.
async fn next<R, W>(
    source: &mut R,
    writer: &mut W,
    budget: &Budget,
    peer: SocketAddr,
) -> Result<(Request, Share, bool), ReadError>
where
    R: AsyncBufRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let head = timed(HEAD, head::read(source)).await??;
    let head = Head::parse(&head).map_err(ReadError::Refused)?;
    if head.framing.exceeds_limit() {
        return Err(ReadError::Refused(Refused::BodyTooLarge));
    }
    if head.expects_continue {
        timed(WRITE, writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")).await??;
    }
    let (body, share) = timed(BODY, body::read(source, head.framing, budget)).await??;
    let request = Request { method: head.method, target: head.target, headers: head.headers, body, peer };
    Ok((request, share, head.keep_alive))
}

async fn timed<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, ReadError> {
    timeout(limit, work).await.map_err(|_| ReadError::Refused(Refused::TooSlow))
}

async fn send<W: AsyncWrite + Unpin>(
    writer: &mut W,
    response: &Response,
    with_body: bool,
    keep_alive: bool,
    clock: Clock,
) -> io::Result<()> {
    let bytes = encode(response, with_body, keep_alive, clock());
    let write = async {
        writer.write_all(&bytes).await?;
        writer.flush().await
    };
    timeout(WRITE, write).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}
