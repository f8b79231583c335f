//! The order function: its service, called and calling with its own token.

use handlers::{
    orders::{Orders, SCOPES},
    wiring,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    wiring::run_calling(SCOPES, Orders::new).await
}
