//! The bytes that a client has sent and that no request has taken yet. Time limits are `connection`'s.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

use super::{Refused, body::ReadError};

const READ_BYTES: usize = 16 * 1024;

/// A buffered reader that hands out lines, blocks of known length and whole heads, each bounded.
#[derive(Debug)]
pub(super) struct Source<R> {
    reader: R,
    buffer: Vec<u8>,
    /// How much of the buffer was taken already. Moving the rest up after every line would make a body of tiny
    /// chunks dear.
    taken: usize,
}

impl<R: AsyncRead + Unpin> Source<R> {
    pub(super) const fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new(), taken: 0 }
    }

    /// Waits until at least one byte is there; `false` at the end of the stream.
    pub(super) async fn wait(&mut self) -> io::Result<bool> {
        Ok(!self.rest().is_empty() || self.fill().await? > 0)
    }

    /// Everything up to and with `end`; `None` if it does not come within `limit` bytes.
    pub(super) async fn until(&mut self, end: &[u8], limit: usize) -> io::Result<Option<Vec<u8>>> {
        let mut searched = 0;
        loop {
            let unsearched = self.rest().get(searched..).unwrap_or_default();
            if let Some(position) = unsearched.windows(end.len()).position(|window| window == end) {
                let length = searched + position + end.len();
                return Ok((length <= limit).then(|| self.take(length).to_vec()));
            }
            let length = self.rest().len();
            if length >= limit {
                return Ok(None);
            }
            searched = length.saturating_sub(end.len() - 1);
            self.fill_or_fail().await?;
        }
    }

    /// A request's head with the empty line that ends it; `None` if it does not come within `limit` bytes.
    ///
    /// # Errors
    /// [`ReadError::Refused`] as soon as a byte arrives that no head can have: a TLS hello or lines that end in a bare
    /// line feed would otherwise keep their client waiting until the time for the head is over.
    // SPEC: RFC 9112 section 2.2 lets a server refuse bare CR, and take or refuse bare LF
    pub(super) async fn head(&mut self, limit: usize) -> Result<Option<Vec<u8>>, ReadError> {
        let (mut searched, mut last) = (0, [b' '; 4]);
        loop {
            for &byte in self.rest().get(searched..).unwrap_or_default() {
                if searched == limit {
                    return Ok(None);
                }
                let [.., before] = last;
                let is_line_end = byte == b'\n';
                if (before == b'\r') != is_line_end
                    || (byte.is_ascii_control() && !matches!(byte, b'\r' | b'\n' | b'\t'))
                {
                    return Err(ReadError::Refused(Refused::Malformed));
                }
                last.rotate_left(1);
                last[3] = byte;
                searched += 1;
                if last == *b"\r\n\r\n" {
                    return Ok(Some(self.take(searched).to_vec()));
                }
            }
            self.fill_or_fail().await?;
        }
    }

    /// Takes an empty line away if one is next.
    // SPEC: RFC 9112 section 2.2: at least one empty line before a request line is ignored
    pub(super) async fn skip_empty_line(&mut self) -> io::Result<()> {
        while self.rest() == b"\r" {
            self.fill_or_fail().await?;
        }
        if self.rest().starts_with(b"\r\n") {
            self.take(2);
        }
        Ok(())
    }

    /// Appends exactly `length` bytes to `to`.
    pub(super) async fn exactly(&mut self, length: usize, to: &mut Vec<u8>) -> io::Result<()> {
        let mut missing = length;
        loop {
            let there = self.take(missing);
            to.extend_from_slice(there);
            missing -= there.len();
            if missing == 0 {
                return Ok(());
            }
            self.fill_or_fail().await?;
        }
    }

    /// Reads and forgets what still comes, up to `limit` bytes.
    pub(super) async fn discard(&mut self, limit: usize) -> io::Result<()> {
        let mut discarded = 0;
        while discarded < limit {
            self.taken = self.buffer.len();
            match self.fill().await? {
                0 => break,
                length => discarded += length,
            }
        }
        Ok(())
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.taken..).unwrap_or_default()
    }

    /// Up to `length` bytes of what is there.
    fn take(&mut self, length: usize) -> &[u8] {
        let start = self.taken;
        self.taken = self.buffer.len().min(start.saturating_add(length));
        self.buffer.get(start..self.taken).unwrap_or_default()
    }

    async fn fill_or_fail(&mut self) -> io::Result<()> {
        match self.fill().await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    async fn fill(&mut self) -> io::Result<usize> {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        self.buffer.reserve(READ_BYTES);
        self.reader.read_buf(&mut self.buffer).await
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever the pieces in which bytes arrive, lines and blocks come out the same.
        #[test]
        fn pieces_make_no_difference(text in "(a|b|\r|\r\n){0,40}", cut in 1_usize..7) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let read = |cut: usize| runtime.block_on(async {
                let pieces = text.as_bytes().chunks(cut).rev().map(<[u8]>::to_vec).collect();
                let mut source = Source::new(Pieces(pieces));
                let mut taken = Vec::new();
                while let Ok(Some(line)) = source.until(b"\r\n", 16).await {
                    taken.push(line);
                    let mut block = Vec::new();
                    if source.exactly(2, &mut block).await.is_err() {
                        break;
                    }
                    taken.push(block);
                }
                taken
            });
            prop_assert_eq!(read(cut), read(usize::MAX));
        }
    }

    /// Gives one piece for each read, the last first.
    struct Pieces(Vec<Vec<u8>>);

    impl AsyncRead for Pieces {
        fn poll_read(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            buffer: &mut tokio::io::ReadBuf<'_>,
        ) -> std::task::Poll<io::Result<()>> {
            if let Some(piece) = self.0.pop() {
                buffer.put_slice(&piece);
            }
            std::task::Poll::Ready(Ok(()))
        }
    }
}
