//! Hints what to do about a refused call.

use super::Call;
use crate::{StatusCode, http::Response};

/// A hint if the answer alone does not say what to do.
pub(super) fn of_answer(answer: &Response, call: &Call) -> Option<String> {
    let body = String::from_utf8_lossy(&answer.body).to_ascii_lowercase();
    match answer.status {
        StatusCode::BAD_REQUEST if body.contains("idempotency-key") && !call.has_idempotency_key() => Some(
            "this call needs a key of your choice: add --header 'Idempotency-Key: my-first-call'".to_owned(),
        ),
        // The answer to an unknown path or method: our template's, and API Gateway's default.
        StatusCode::NOT_FOUND | StatusCode::FORBIDDEN
            if body.contains("there is no such route") || body.contains("missing authentication token") =>
        {
            let path = call.path.split_once('?').map_or(call.path.as_str(), |(path, _)| path);
            Some(format!("the API has no route {} {path}", call.method.to_uppercase()))
        }
        StatusCode::FORBIDDEN if body.contains("not authorized") || body.contains("explicit deny") => {
            Some("the token is valid, but does not hold the scope of this route".to_owned())
        }
        _ => None,
    }
}
