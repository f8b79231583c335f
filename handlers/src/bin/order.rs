//! The order function: its service, called and calling with its own token.

use handlers::{orders, wiring};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    wiring::run_calling(orders::SCOPES, orders::Orders::new).await
}
