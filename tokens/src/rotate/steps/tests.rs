use std::sync::Mutex;

use serde_json::json;

use super::*;
use crate::rotate::testing::{Fate, Stand, World, in_use, rotate, step};

#[tokio::test(start_paused = true)]
async fn a_rotation_promotes_a_new_secret_and_keeps_the_old_one_until_the_next() {
    let stand = Stand(Mutex::new(in_use()));
    rotate(&stand, "v1").await;
    {
        let world = stand.0.lock().unwrap();
        assert_eq!(world.deleted, [""; 0]);
        assert!(world.gets_token(&world.values["v0"]), "whoever holds the old one goes on");
        let labels: Vec<_> =
            world.labels.iter().map(|(label, version)| format!("{label}={version}")).collect();
        assert_eq!(
            labels,
            [
                "AWSCURRENT=v1",
                "AWSPENDING=v1",
                "AWSPREVIOUS=v0",
                "cognito-7abc--1=v1",
                "cognito-adding=v1",
                "cognito-original=v0"
            ]
        );
        let new: serde_json::Value = serde_json::from_str(world.current().expose_secret()).unwrap();
        assert_eq!(
            (&new["token_url"], &new["api_url"]),
            (&json!("https://t.example/"), &json!("https://a.example/"))
        );
    }
    rotate(&stand, "v2").await;
    rotate(&stand, "v3").await;
    let world = stand.0.lock().unwrap();
    assert_eq!(world.deleted, ["original", "7abc--1"]);
    assert!(world.gets_token(&world.values["v2"]) && !world.values.contains_key("v1"));
    assert!(!world.labels.contains_key("cognito-original"));
}

#[tokio::test(start_paused = true)]
async fn death_or_throttling_at_any_call_leaves_no_gap_and_the_rotation_goes_on() {
    for fate in [Fate::DieBefore, Fate::DieAfter, Fate::Throttled] {
        for at in 0.. {
            let world = World { fate: Some((at, fate)), ..in_use() };
            let stand = Stand(Mutex::new(world));
            for version in ["v1", "v2", "v3"] {
                rotate(&stand, version).await;
            }
            let world = stand.0.lock().unwrap();
            assert_eq!(world.cognito.len(), 2, "{fate:?} at {at}");
            assert_eq!(world.deleted.len(), 2, "{fate:?} at {at}");
            if world.calls <= at {
                assert!(at > 40, "the calls of three rotations");
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_rotation_that_was_given_up_after_any_call_makes_room_for_the_next() {
    for at in 0..30 {
        let stand = Stand(Mutex::new(World { fate: Some((at, Fate::DieAfter)), ..in_use() }));
        stand.0.lock().unwrap().pend("v1");
        for each in Step::ALL {
            if step(&stand, each, "v1").await.is_err() {
                break;
            }
        }
        {
            let mut world = stand.0.lock().unwrap();
            (world.dead, world.fate) = (false, None);
        }
        rotate(&stand, "v2").await;
        let world = stand.0.lock().unwrap();
        assert_eq!(world.cognito.len(), 2, "given up after call {at}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_no_version_holds_is_never_deleted() {
    // Somebody added one by hand before the first rotation, or after it.
    let mut world = in_use();
    world.cognito.push(("by-hand".into(), "by-hand-secret".into()));
    let stand = Stand(Mutex::new(world));
    stand.0.lock().unwrap().pend("v1");
    step(&stand, Step::Create, "v1").await.unwrap();
    let error = step(&stand, Step::Set, "v1").await.unwrap_err();
    insta::assert_snapshot!(error, @"the client 7abc has the secrets original, by-hand: it is not known which of them AWSCURRENT uses; delete the one that nobody uses, and rotate again; nothing was deleted (docs/rotate.md)");
    assert_eq!(stand.0.lock().unwrap().cognito.len(), 2);

    let stand = Stand(Mutex::new(in_use()));
    rotate(&stand, "v1").await;
    {
        let mut world = stand.0.lock().unwrap();
        world.cognito.retain(|(id, _)| id != "original");
        world.cognito.push(("by-hand".into(), "by-hand-secret".into()));
        world.pend("v2");
    }
    step(&stand, Step::Create, "v2").await.unwrap();
    let error = step(&stand, Step::Set, "v2").await.unwrap_err();
    insta::assert_snapshot!(error, @"the client 7abc has the secrets 7abc--1, by-hand: AWSCURRENT uses the other one, but no version holds by-hand; delete by-hand if nobody uses it, and rotate again; nothing was deleted (docs/rotate.md)");
    assert_eq!(stand.0.lock().unwrap().deleted, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_copy_of_the_current_value_made_by_hand_keeps_its_secret() {
    let stand = Stand(Mutex::new(in_use()));
    rotate(&stand, "v1").await;
    {
        // Another api_url, the same client_secret: the label stays with v1.
        let mut world = stand.0.lock().unwrap();
        let copy = world.current().expose_secret().replace("a.example", "b.example");
        world.values.insert("by-hand".into(), copy.into());
        world.labels.insert("AWSPREVIOUS".into(), "v1".into());
        world.labels.insert(CURRENT.into(), "by-hand".into());
    }
    rotate(&stand, "v2").await;
    let world = stand.0.lock().unwrap();
    assert_eq!(world.deleted, ["original"]);
    assert!(world.current().expose_secret().contains("b.example"));
}

#[tokio::test(start_paused = true)]
async fn a_new_secret_may_take_a_moment_to_arrive_and_one_that_never_does_is_not_promoted() {
    let stand = Stand(Mutex::new(in_use()));
    stand.0.lock().unwrap().pend("v1");
    for each in [Step::Create, Step::Set] {
        step(&stand, each, "v1").await.unwrap();
    }
    stand.0.lock().unwrap().lag = 5;
    step(&stand, Step::Test, "v1").await.unwrap();
    stand.0.lock().unwrap().lag = usize::MAX;
    assert_eq!(step(&stand, Step::Test, "v1").await, Err(RotateError::NotAccepted("v1".into())));
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_not_pending_is_not_touched() {
    let stand = Stand(Mutex::new(in_use()));
    for each in Step::ALL {
        assert_eq!(step(&stand, each, "v9").await, Err(RotateError::NotPending("v9".into())));
        assert_eq!(step(&stand, each, "v0").await, Ok(()), "it is current already");
    }
    assert_eq!(stand.0.lock().unwrap().calls, 8);
}

#[test]
fn steps_have_the_names_of_secrets_manager() {
    let names = ["createSecret", "setSecret", "testSecret", "finishSecret"];
    assert_eq!(names.map(str::parse), Step::ALL.map(Ok));
    assert_eq!("deleteSecret".parse::<Step>(), Err(RotateError::Event));
}
