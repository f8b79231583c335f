use std::{collections::BTreeMap, sync::Mutex};

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::*;
use crate::rotate::testing::{CLIENT, Fate, SECRET, Stand, World, in_use, rotate, rotation, value};

/// A client, and the secret that CloudFormation has just made for it.
fn created() -> World {
    let tags = [("client_id", CLIENT), ("api_url", "https://a.example/dev")];
    World {
        values: BTreeMap::from([("v0".into(), "{}".to_owned().into())]),
        tags: tags.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        watched: false,
        ..in_use()
    }
}

async fn first_value(stand: &Stand, version: &str) -> Result<(), RotateError> {
    rotation(stand).first_value(SECRET, version, instant() + Duration::from_mins(1)).await
}

fn current(stand: &Stand) -> Value {
    serde_json::from_str(stand.0.lock().unwrap().current().expose_secret()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_first_value_is_the_secret_that_the_client_was_made_with() {
    let stand = Stand(Mutex::new(created()));
    first_value(&stand, "first").await.unwrap();
    assert_eq!(
        current(&stand),
        json!({"client_id": CLIENT, "client_secret": "original-secret", "token_url": "https://t.example/", "api_url": "https://a.example/dev"})
    );
    stand.0.lock().unwrap().watched = true;
    for version in ["v1", "v2"] {
        rotate(&stand, version).await;
    }
    assert_eq!(stand.0.lock().unwrap().deleted, ["original"]);
}

#[tokio::test(start_paused = true)]
async fn a_value_of_the_same_client_is_never_overwritten() {
    let mut world = in_use();
    world.tags = created().tags;
    let stand = Stand(Mutex::new(world));
    rotate(&stand, "v1").await;
    let before = current(&stand);
    first_value(&stand, "again").await.unwrap();
    assert_eq!(current(&stand), before);
    assert!(!stand.0.lock().unwrap().values.contains_key("again"));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_was_replaced_brings_its_own_secret() {
    let replaced = value("original-secret").expose_secret().replace(CLIENT, "another");
    let values = BTreeMap::from([("v0".into(), replaced.into())]);
    let stand = Stand(Mutex::new(World { values, ..created() }));
    first_value(&stand, "first").await.unwrap();
    assert_eq!(current(&stand)["client_id"], CLIENT);
}

#[tokio::test(start_paused = true)]
async fn a_first_value_that_dies_or_is_turned_away_can_be_repeated() {
    for fate in [Fate::DieBefore, Fate::DieAfter, Fate::Throttled] {
        for at in 0..5 {
            let stand = Stand(Mutex::new(World { fate: Some((at, fate)), ..created() }));
            let outcome = first_value(&stand, "first").await;
            assert_eq!(outcome.is_ok(), fate == Fate::Throttled, "{fate:?} at {at}: a call is tried again");
            stand.0.lock().unwrap().dead = false;
            // CloudFormation's next request has another id.
            first_value(&stand, "second").await.unwrap();
            assert_eq!(current(&stand)["client_secret"], "original-secret", "{fate:?} at {at}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_client_or_a_secret_of_its_own_nothing_is_stored() {
    let nobodys = Stand(Mutex::new(World { tags: BTreeMap::new(), ..created() }));
    let error = first_value(&nobodys, "first").await.unwrap_err();
    assert_eq!(error, RotateError::NoClient(SECRET.into()));
    let bare = Stand(Mutex::new(World { cognito: vec![], ..created() }));
    let error = first_value(&bare, "first").await.unwrap_err();
    assert_eq!(error, RotateError::NoOriginal(CLIENT.into()));
    assert_eq!(current(&bare), json!({}));
}
