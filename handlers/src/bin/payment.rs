//! The payment function: settings, table, token client, service, run.

use handlers::{
    config::CallingConfig,
    payments::{Payments, SCOPES},
    wiring,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let CallingConfig { config, credentials_secret } = CallingConfig::from_vars(wiring::vars)?;
    let aws = wiring::aws_config().await;
    let api = wiring::api(&aws, credentials_secret, SCOPES)?;
    wiring::run(Payments::new(aws_sdk_dynamodb::Client::new(&aws), api, config)).await
}
