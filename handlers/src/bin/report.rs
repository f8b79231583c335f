//! The report function: its service, called and calling with its own token.

use handlers::{reports, wiring};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    wiring::run_calling(reports::SCOPES, reports::Reports::new).await
}
