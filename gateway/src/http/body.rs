//! Reads a request's body, by length or in chunks, bounded either way, and all bodies together.

use std::sync::Arc;

use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt},
    sync::{OwnedSemaphorePermit, Semaphore},
};

use super::{ReadError, Refused, head::Framing};

/// The most that a body may hold.
// SPEC: Amazon API Gateway, quotas for a REST API: 10 MB of payload
pub(super) const BODY_BYTES: usize = 10 * 1024 * 1024;
/// What a body may hold without a share of the budget.
const SMALL_BYTES: usize = 64 * 1024;
/// What all larger bodies may hold together: six of the largest. One more waits, within the time limit for a body.
const BUDGET_BYTES: usize = 6 * BODY_BYTES;
const CHUNK_LINE_BYTES: u64 = 256;
const TRAILER_BYTES: u64 = 4096;

impl Framing {
    /// Whether the body is known to be too long before a byte of it is read.
    pub(super) fn exceeds_limit(self) -> bool {
        matches!(self, Self::Length(length) if usize::try_from(length).is_ok_and(|l| l > BODY_BYTES))
    }
}

/// Memory for the large bodies of all connections.
#[derive(Clone, Debug)]
pub(super) struct Budget(Arc<Semaphore>);

impl Budget {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(BUDGET_BYTES)))
    }

    /// Waits for room for a body of `length` bytes.
    async fn share(&self, length: usize) -> Result<Share, ReadError> {
        if length <= SMALL_BYTES {
            return Ok(Share(None));
        }
        let bytes = u32::try_from(length).map_err(|_| ReadError::Refused(Refused::BodyTooLarge))?;
        let permit = Arc::clone(&self.0).acquire_many_owned(bytes).await;
        permit.map(|permit| Share(Some(permit))).map_err(|_| ReadError::Disconnected)
    }
}

/// A body's part of the budget, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Share(Option<OwnedSemaphorePermit>);

/// Reads the body that `framing` announces. Its share of the budget is to be held for as long as the body is.
pub(super) async fn read<R: AsyncBufRead + Unpin>(
    source: &mut R,
    framing: Framing,
    budget: &Budget,
) -> Result<(Vec<u8>, Share), ReadError> {
    let mut body = Vec::new();
    let mut share = Share(None);
    match framing {
        Framing::Length(length) => {
            share = budget.share(usize::try_from(length).unwrap_or(usize::MAX)).await?;
            take(source, length, &mut body).await?;
        }
        Framing::Chunked => loop {
            let line = line(source, CHUNK_LINE_BYTES).await?;
            let size = chunk_size(&line).ok_or(MALFORMED)?;
            if size == 0 {
                discard_trailers(source).await?;
                break;
            }
            // How long a body in chunks becomes is not known: past the small ones, it may be of the largest.
            let so_far = u64::try_from(body.len()).unwrap_or(u64::MAX);
            if share.0.is_none() && so_far.saturating_add(size) > SMALL_BYTES as u64 {
                share = budget.share(BODY_BYTES).await?;
            }
            take(source, size, &mut body).await?;
            let mut end = [0; 2];
            source.read_exact(&mut end).await?;
            if end != *b"\r\n" {
                return Err(MALFORMED);
            }
        },
    }
    Ok((body, share))
}

const MALFORMED: ReadError = ReadError::Refused(Refused::Malformed);

async fn take<R: AsyncBufRead + Unpin>(
    source: &mut R,
    length: u64,
    body: &mut Vec<u8>,
) -> Result<(), ReadError> {
    let length = usize::try_from(length).ok().filter(|length| *length <= BODY_BYTES - body.len());
    let length = length.ok_or(ReadError::Refused(Refused::BodyTooLarge))?;
    let read = source.take(length as u64).read_to_end(body).await?;
    if read == length { Ok(()) } else { Err(ReadError::Disconnected) }
}

/// Everything up to and with the next line end, which must come within `limit` bytes.
async fn line<R: AsyncBufRead + Unpin>(source: &mut R, limit: u64) -> Result<Vec<u8>, ReadError> {
    let mut line = Vec::new();
    source.take(limit).read_until(b'\n', &mut line).await?;
    match line.as_slice() {
        [.., b'\r', b'\n'] => Ok(line),
        [.., b'\n'] => Err(MALFORMED),
        _ if line.len() as u64 == limit => Err(MALFORMED),
        _ => Err(ReadError::Disconnected),
    }
}

/// The size that a chunk's first line names; extensions are read over.
// SPEC: RFC 9112 section 7.1. httparse takes an empty size for zero, which another reader may not.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let line = std::str::from_utf8(line).ok()?.strip_suffix("\r\n")?;
    let size = line.split_once(';').map_or(line, |(size, _)| size);
    let is_size = (1..=16).contains(&size.len()) && size.bytes().all(|b| b.is_ascii_hexdigit());
    let is_clean = !line.bytes().any(|b| b.is_ascii_control() && b != b'\t');
    if is_size && is_clean { u64::from_str_radix(size, 16).ok() } else { None }
}

/// Trailers carry nothing that we would read, so they are dropped.
async fn discard_trailers<R: AsyncBufRead + Unpin>(source: &mut R) -> Result<(), ReadError> {
    let mut left = TRAILER_BYTES;
    loop {
        let line = line(source, left).await?;
        if line == b"\r\n" {
            return Ok(());
        }
        left -= line.len() as u64;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    async fn read_chunks(text: &[u8]) -> Result<Vec<u8>, String> {
        // In the smallest pieces.
        let mut source = tokio::io::BufReader::with_capacity(3, text);
        let body = read(&mut source, Framing::Chunked, &Budget::new()).await.map(|(body, _)| body);
        body.map_err(|error| match error {
            ReadError::Refused(refused) => format!("{refused:?}"),
            ReadError::Disconnected => "Disconnected".to_owned(),
        })
    }

    #[tokio::test]
    async fn chunks_are_put_together() {
        let body = read_chunks(b"5\r\nhello\r\n0A;ext=1\r\n, it is me\r\n0\r\nX: 1\r\n\r\n").await;
        assert_eq!(body, Ok(b"hello, it is me".to_vec()));
        assert_eq!(read_chunks(b"0\r\n\r\n").await, Ok(Vec::new()));
    }

    proptest! {
        #[test]
        fn a_body_comes_out_as_it_was_cut_up(body in proptest::collection::vec(any::<u8>(), 0..200), size in 1_usize..50) {
            let mut sent = Vec::new();
            for chunk in body.chunks(size) {
                sent.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
                sent.extend([chunk, b"\r\n"].concat());
            }
            sent.extend(b"0\r\n\r\n");
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            prop_assert_eq!(runtime.block_on(read_chunks(&sent)), Ok(body));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let _ = runtime.block_on(read_chunks(&bytes));
        }
    }

    #[tokio::test]
    async fn doubtful_chunks_are_refused() {
        let cases: [(&str, &[u8]); 9] = [
            ("no size", b"\r\nhello\r\n0\r\n\r\n"),
            ("a space for a size", b" \r\n\r\n"),
            ("space before the size", b" 5\r\nhello\r\n0\r\n\r\n"),
            ("space behind the size", b"5 \r\nhello\r\n0\r\n\r\n"),
            ("a prefix", b"0x5\r\nhello\r\n0\r\n\r\n"),
            ("a size past 64 bits", b"ffffffffffffffff5\r\n"),
            ("a bare line feed in an extension", b"5;a\nb\r\nhello\r\n0\r\n\r\n"),
            ("a chunk longer than it says", b"4\r\nhello\r\n0\r\n\r\n"),
            ("a line feed alone behind a chunk", b"5\r\nhello\n0\r\n\r\n"),
        ];
        for (name, text) in cases {
            assert_eq!(read_chunks(text).await, Err("Malformed".to_owned()), "{name}");
        }
        let too_long = format!("{}\r\n", "5;".to_owned() + &"x".repeat(256));
        assert_eq!(read_chunks(too_long.as_bytes()).await, Err("Malformed".to_owned()));
        let endless_trailers = format!("0\r\n{}", "X: 1\r\n".repeat(4096));
        assert_eq!(read_chunks(endless_trailers.as_bytes()).await, Err("Malformed".to_owned()));
    }

    /// Bodies that never end hold no more than the budget together: the next one is not begun.
    #[tokio::test]
    async fn all_large_bodies_share_a_budget() {
        let budget = Budget::new();
        let large = vec![b'x'; BODY_BYTES];
        let mut held = Vec::new();
        for number in 0..BUDGET_BYTES / BODY_BYTES {
            let framing = Framing::Length(u64::try_from(BODY_BYTES).unwrap());
            let (body, share) = read(&mut large.as_slice(), framing, &budget).await.unwrap();
            assert_eq!(body.len(), BODY_BYTES, "{number}");
            held.push(share);
        }
        let chunk = format!("{:x}\r\n{}\r\n0\r\n\r\n", SMALL_BYTES + 1, "x".repeat(SMALL_BYTES + 1));
        let (mut source, mut small) = (chunk.as_bytes(), &b"ab"[..]);
        let mut waiting = Box::pin(read(&mut source, Framing::Chunked, &budget));
        let early = futures_util::future::poll_immediate(&mut waiting).await;
        assert!(early.is_none(), "nobody has given a share back");
        assert!(read(&mut small, Framing::Length(2), &budget).await.is_ok(), "small ones are not held up");
        held.pop();
        assert_eq!(waiting.await.unwrap().0.len(), SMALL_BYTES + 1);
    }

    #[tokio::test]
    async fn row_21_the_limit_holds_for_the_sum_of_all_chunks() {
        let half = format!("{:x}\r\n{}\r\n", BODY_BYTES / 2, "x".repeat(BODY_BYTES / 2));
        let exact = format!("{half}{half}0\r\n\r\n");
        assert_eq!(read_chunks(exact.as_bytes()).await.map(|body| body.len()), Ok(BODY_BYTES));
        let over = format!("{half}{half}1\r\nx\r\n0\r\n\r\n");
        assert_eq!(read_chunks(over.as_bytes()).await, Err("BodyTooLarge".to_owned()));
        let huge = "ffffffffffffffff\r\n";
        assert_eq!(read_chunks(huge.as_bytes()).await, Err("BodyTooLarge".to_owned()));
    }
}
