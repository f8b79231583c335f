use super::*;

const ID: &str = "7abc";

fn clients(secret: &str) -> Clients {
    let client = Client { client_id: ID.into(), client_secret: secret.into(), scopes: Vec::new() };
    Clients([("shop".to_owned(), client)].into())
}

fn open(folder: &tempfile::TempDir, secret: &str) -> ClientSecrets {
    let folder = Arc::new(DataFolder::open(folder.path()).unwrap());
    ClientSecrets::open(Some(folder), clients(secret), "http://127.0.0.1:3000".into()).unwrap()
}

#[tokio::test]
async fn a_client_has_one_or_two_secrets() {
    let secrets = ClientSecrets::open(None, clients("first"), String::new()).unwrap();
    let service = Service(Arc::new(secrets));
    let code = |error: CallError| error.reason;
    assert_eq!(service.delete(ID, "7abc--1").await.map_err(code), Err("InvalidParameterException".into()));
    assert_eq!(service.add(ID, &"second".into()).await.unwrap(), "7abc--2");
    assert_eq!(service.add(ID, &"third".into()).await.map_err(code), Err("LimitExceededException".into()));
    assert_eq!(service.delete(ID, "7abc--9").await.map_err(code), Err(NOT_FOUND.into()));
    assert_eq!(service.original(ID).await.unwrap().unwrap().expose_secret(), "first");
    service.delete(ID, "7abc--1").await.unwrap();
    assert_eq!(service.add(ID, &"third".into()).await.unwrap(), "7abc--3");
    assert_eq!(service.list(ID).await.unwrap(), ["7abc--2", "7abc--3"]);
    assert!(service.original(ID).await.unwrap().is_none());
    for (secret, is_accepted) in [("first", false), ("second", true), ("third", true), ("", false)] {
        assert_eq!(service.0.accepts(ID, &secret.into()), is_accepted, "{secret}");
    }
    assert_eq!(service.list("7other").await.map_err(code), Err(NOT_FOUND.into()));
}

#[tokio::test]
async fn labels_move_as_in_secrets_manager() {
    let secrets = ClientSecrets::open(None, clients("first"), "http://a".into()).unwrap();
    let service = Service(Arc::new(secrets));
    let holder = async |label: &str| {
        let versions = service.describe(ID).await.unwrap().versions;
        versions.into_iter().find(|(_, labels)| labels.contains(label)).map(|(version, _)| version)
    };
    let first = holder(CURRENT).await.unwrap();
    let second = service.0.begin(ID).unwrap();
    assert_eq!(service.0.begin(ID).unwrap(), second, "a rotation that was not finished is taken up");
    service.put_pending(ID, &second, r#"{"client_secret":"second"}"#.to_owned().into()).await.unwrap();
    service.put_pending(ID, &second, "{}".to_owned().into()).await.unwrap();
    assert!(service.move_label(ID, CURRENT, Some(&second), Some(&first)).await.is_err());
    service.move_label(ID, CURRENT, Some(&first), Some(&second)).await.unwrap();
    assert_eq!((holder(CURRENT).await, holder(PREVIOUS).await), (Some(second), Some(first.clone())));
    assert_eq!(service.0.clients().0["shop"].client_secret.expose_secret(), "second");

    let third = service.0.begin(ID).unwrap();
    service.put_pending(ID, &third, r#"{"client_secret":"third"}"#.to_owned().into()).await.unwrap();
    let second = holder(CURRENT).await.unwrap();
    service.move_label(ID, CURRENT, Some(&second), Some(&third)).await.unwrap();
    assert!(service.value(ID, &first).await.unwrap().is_none(), "a version without a label is deleted");
}

#[tokio::test]
async fn secrets_outlive_a_restart_where_there_is_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let service = Service(Arc::new(open(&folder, "first")));
    service.add(ID, &"second".into()).await.unwrap();
    drop(service);
    let again = open(&folder, "new at this start");
    assert_eq!(again.ids(ID), ["7abc--1", "7abc--2"]);
    assert_eq!(again.clients().0["shop"].client_secret.expose_secret(), "first");
    assert!(!format!("{again:?}").contains("first"));
    drop(again);
    std::fs::write(folder.path().join(FILE), "{}{").unwrap();
    let data = Arc::new(DataFolder::open(folder.path()).unwrap());
    let opened = ClientSecrets::open(Some(data), clients("first"), String::new());
    assert!(matches!(opened, Err(SecretsError::Malformed)));
}
