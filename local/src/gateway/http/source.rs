//! Owns the bytes that a client has sent and that no request has taken yet. Time limits are left to `connection`.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

const READ_BYTES: usize = 16 * 1024;

/// A buffered reader that hands out lines, blocks of known length and whole heads, each bounded.
#[derive(Debug)]
pub(super) struct Source<R> {
    reader: R,
    buffer: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Source<R> {
    pub(super) const fn new(reader: R) -> Self {
        Self { reader, buffer: Vec::new() }
    }

    /// Waits until at least one byte is there; `false` at the end of the stream.
    pub(super) async fn wait(&mut self) -> io::Result<bool> {
        Ok(!self.buffer.is_empty() || self.fill().await? > 0)
    }

    /// Everything up to and with `end`; `None` if it does not come within `limit` bytes.
    pub(super) async fn until(&mut self, end: &[u8], limit: usize) -> io::Result<Option<Vec<u8>>> {
        let mut searched = 0;
        loop {
            let found = self
                .buffer
                .get(searched..)
                .and_then(|rest| rest.windows(end.len()).position(|window| window == end));
            if let Some(position) = found {
                let length = searched + position + end.len();
                return Ok((length <= limit).then(|| self.buffer.drain(..length).collect()));
            }
            if self.buffer.len() >= limit {
                return Ok(None);
            }
            searched = self.buffer.len().saturating_sub(end.len() - 1);
            self.fill_or_fail().await?;
        }
    }

    /// Takes an empty line away if one is next.
    // SPEC: RFC 9112 section 2.2: at least one empty line before a request line is ignored
    pub(super) async fn skip_empty_line(&mut self) -> io::Result<()> {
        while self.buffer.len() < 2 && self.buffer.first() == Some(&b'\r') {
            self.fill_or_fail().await?;
        }
        if self.buffer.starts_with(b"\r\n") {
            self.buffer.drain(..2);
        }
        Ok(())
    }

    /// Appends exactly `length` bytes to `to`.
    pub(super) async fn exactly(&mut self, length: usize, to: &mut Vec<u8>) -> io::Result<()> {
        let mut missing = length;
        loop {
            let taken = missing.min(self.buffer.len());
            to.extend(self.buffer.drain(..taken));
            missing -= taken;
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
            self.buffer.clear();
            match self.fill().await? {
                0 => break,
                length => discarded += length,
            }
        }
        Ok(())
    }

    async fn fill_or_fail(&mut self) -> io::Result<()> {
        match self.fill().await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    async fn fill(&mut self) -> io::Result<usize> {
        self.buffer.reserve(READ_BYTES);
        self.reader.read_buf(&mut self.buffer).await
    }
}
