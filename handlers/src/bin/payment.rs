//! The payment function: its service, called and calling with its own token.

use handlers::{payments, wiring};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    wiring::run_calling(payments::SCOPES, payments::Payments::new).await
}
