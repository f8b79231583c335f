use aws_sdk_dynamodb::{
    error::ProvideErrorMetadata as _,
    types::{
        AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, Put,
        ScalarAttributeType, TransactWriteItem,
    },
};

use super::*;

async fn with_table() -> (Embedded, Client) {
    let embedded = Embedded::memory().unwrap();
    let client = embedded.client();
    let attribute = AttributeDefinition::builder().attribute_name("pk");
    let key = KeySchemaElement::builder().attribute_name("pk").key_type(KeyType::Hash);
    let request = client.create_table().table_name("table").billing_mode(BillingMode::PayPerRequest);
    let request =
        request.attribute_definitions(attribute.attribute_type(ScalarAttributeType::S).build().unwrap());
    request.key_schema(key.build().unwrap()).send().await.unwrap();
    (embedded, client)
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

#[tokio::test]
async fn clients_of_one_database_share_its_tables() {
    let (embedded, client) = with_table().await;
    client.put_item().table_name("table").item("pk", text("a")).send().await.unwrap();
    let other = embedded.client();
    let found = other.get_item().table_name("table").key("pk", text("a")).send().await.unwrap();
    assert_eq!(found.item.unwrap()["pk"], text("a"));
    let elsewhere = Embedded::memory().unwrap().client();
    assert!(elsewhere.list_tables().send().await.unwrap().table_names().is_empty(), "another database");
}

#[tokio::test]
async fn errors_arrive_as_the_sdks_own() {
    let (_embedded, client) = with_table().await;
    let put = || client.put_item().table_name("table").item("pk", text("a"));
    put().send().await.unwrap();
    let error = put().condition_expression("attribute_not_exists(pk)").send().await.unwrap_err();
    assert!(error.as_service_error().unwrap().is_conditional_check_failed_exception(), "{error:?}");
    let put = Put::builder().table_name("table").item("pk", text("a"));
    let put = put.condition_expression("attribute_not_exists(pk)").build().unwrap();
    let write = client.transact_write_items().transact_items(TransactWriteItem::builder().put(put).build());
    let error = write.send().await.unwrap_err().into_service_error();
    let aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::TransactionCanceledException(
        cancelled,
    ) = error
    else {
        panic!("{error:?}")
    };
    assert_eq!(cancelled.cancellation_reasons()[0].code(), Some("ConditionalCheckFailed"));
    let error = client.get_item().table_name("none").key("pk", text("a")).send().await.unwrap_err();
    assert_eq!(error.into_service_error().code(), Some("ResourceNotFoundException"));
    let error = client.list_backups().send().await.unwrap_err().into_service_error();
    assert_eq!(error.code(), Some("UnknownOperationException"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_before_the_end_is_done_and_nothing_after() {
    let (embedded, client) = with_table().await;
    let puts = (0..50).map(|n| {
        let put = client.put_item().table_name("table").item("pk", text(&n.to_string()));
        tokio::spawn(put.send())
    });
    for put in puts.collect::<Vec<_>>() {
        put.await.unwrap().unwrap();
    }
    let found = client.scan().table_name("table").send().await.unwrap();
    assert_eq!(found.count(), 50);
    tokio::task::spawn_blocking(|| embedded.close()).await.unwrap();
    let error = client.scan().table_name("table").send().await.unwrap_err();
    assert!(format!("{error:?}").contains("the embedded database is closed"), "{error:?}");
}
