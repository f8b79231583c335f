//! The function `token`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    tokens::wiring::serve_token().await
}
