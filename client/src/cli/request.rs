//! The request that the arguments of `call` describe.

use std::{
    fs::File,
    io::{self, Read},
};

use super::{Call, CommandError};
use crate::api::ApiRequest;

/// The largest body that API Gateway accepts.
const MAX_DATA: u64 = 10 * 1024 * 1024;

impl Call {
    pub(super) fn request(&self) -> Result<ApiRequest, CommandError> {
        let method = self.method.to_uppercase().parse();
        let method = method.map_err(|_| CommandError::Method(self.method.clone()))?;
        if !self.path.starts_with('/') {
            return Err(CommandError::Path(self.path.clone()));
        }
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let mut request = ApiRequest::new(method, path);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            request = request.query(decoded(name), decoded(value));
        }
        for header in &self.headers {
            let (name, value) = header.split_once(':').ok_or_else(|| CommandError::Header(header.clone()))?;
            if is_idempotency_key(name) {
                request = request.safe_to_repeat();
            }
            request = request.header(name, value.trim());
        }
        match &self.data {
            Some(data) => Ok(request.json_text(read(data)?)),
            None => Ok(request),
        }
    }

    pub(super) fn has_idempotency_key(&self) -> bool {
        self.headers
            .iter()
            .filter_map(|header| header.split_once(':'))
            .any(|(name, _)| is_idempotency_key(name))
    }
}

fn is_idempotency_key(name: &str) -> bool {
    name.eq_ignore_ascii_case("idempotency-key")
}

/// A decoded part of a query; it is encoded again when it is sent.
fn decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

fn read(data: &str) -> Result<Vec<u8>, CommandError> {
    let bytes = match data.strip_prefix('@') {
        None => return Ok(data.as_bytes().to_vec()),
        Some("-") => bounded(io::stdin()),
        Some(path) => File::open(path).and_then(bounded),
    };
    let bytes = bytes.map_err(|error| CommandError::Data(data.to_owned(), error))?;
    if bytes.len() as u64 > MAX_DATA { Err(CommandError::DataTooLarge) } else { Ok(bytes) }
}

/// Everything, up to one byte more than is accepted.
fn bounded(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MAX_DATA + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
