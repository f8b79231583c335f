//! The inventory function: settings, table, service, run.

use client::Http;
use handlers::{config::Config, inventory::Inventory, wiring};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let config = Config::from_vars(wiring::vars)?;
    let dynamodb = aws_sdk_dynamodb::Client::new(&wiring::aws_config(Http::new()?).await);
    wiring::run(Inventory::new(dynamodb, config)).await
}
