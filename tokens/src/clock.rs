//! The clock that waits are measured on.

use tokio::time::Instant;

/// How long something takes is measured on the clock that tests can pause.
pub(crate) fn instant() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long something takes, on the clock that tests can pause"
    )]
    Instant::now()
}
