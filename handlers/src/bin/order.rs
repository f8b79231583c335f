//! The order function: settings, table, token client, service, run.

use client::Http;
use handlers::{
    config::CallingConfig,
    orders::{Orders, SCOPES},
    wiring,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let CallingConfig { config, credentials_secret } = CallingConfig::from_vars(wiring::vars)?;
    let http = Http::new()?;
    let aws = wiring::aws_config(http.clone()).await;
    let api = wiring::api(&aws, http, credentials_secret, SCOPES);
    wiring::run(Orders::new(aws_sdk_dynamodb::Client::new(&aws), api, config)).await
}
