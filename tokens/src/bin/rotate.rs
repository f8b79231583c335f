//! The function `rotate`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    tokens::wiring::serve_rotate().await
}
