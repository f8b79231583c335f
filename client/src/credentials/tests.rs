//! What makes credentials, and what their errors say.

use std::path::Path;

use secrecy::ExposeSecret;

use super::*;

const SECRET: &str = "s3cr3t-value";

fn vars(pairs: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> {
    move |name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
}

#[test]
fn credentials_come_from_the_environment() {
    let read = Credentials::from_vars(vars(&[
        ("CLIENT_ID", "id"),
        ("CLIENT_SECRET", SECRET),
        ("TOKEN_URL", "http://127.0.0.1:3000/oauth2/token"),
    ]))
    .unwrap();
    assert_eq!((read.client_id.as_str(), read.client_secret.expose_secret()), ("id", SECRET));
    assert_eq!(format!("{:?}", read.token_url), "http://127.0.0.1:3000/oauth2/token");
    assert_eq!(read.api_url, None);
}

#[test]
fn all_problems_are_reported_together_by_name_and_without_a_value() {
    let message = |vars: &'static [(&'static str, &'static str)]| {
        Credentials::from_vars(self::vars(vars)).unwrap_err().to_string()
    };
    insta::assert_snapshot!(message(&[
        ("CLIENT_ID", "id"),
        ("CLIENT_SECRET", SECRET),
        ("TOKEN_URL", "https://auth.example.com"),
        ("API_URL", "http://api.example.com"),
    ]), @"`API_URL` must be https (http is for loopback only)");
    insta::assert_snapshot!(message(&[]), @"`CLIENT_ID` is not set, `CLIENT_SECRET` is not set, `TOKEN_URL` is not set");
    insta::assert_snapshot!(message(&[
        ("CLIENT_ID", ""),
        ("CLIENT_SECRET", SECRET),
        ("TOKEN_URL", "http://auth.example.com/s3cr3t-value"),
        ("API_URL", "https://user:s3cr3t-value@api.example.com"),
    ]), @"`CLIENT_ID` is not set, `TOKEN_URL` must be https (http is for loopback only), `API_URL` must not hold a user name or a password");
}

#[test]
fn a_secret_is_json_and_its_errors_hold_nothing_of_it() {
    let good = r#"{"client_id":"id","client_secret":"s3cr3t-value","token_url":"https://t.example/x","api_url":"https://a.example","more":1}"#;
    let read = Credentials::from_json(good).unwrap();
    assert_eq!(read.client_secret.expose_secret(), SECRET);
    assert!(read.api_url.is_some());

    let bad = [
        ("not JSON", "s3cr3t-value", "the credentials are not a JSON object of strings"),
        ("a text", r#""s3cr3t-value""#, "the credentials are not a JSON object of strings"),
        (
            "a number",
            r#"{"client_id":"id","client_secret":1234}"#,
            "the credentials are not a JSON object of strings",
        ),
        ("no members", "{}", "`client_id` is not set, `client_secret` is not set, `token_url` is not set"),
        (
            "a plain address",
            r#"{"client_id":"id","client_secret":"s3cr3t-value","token_url":"http://s3cr3t-value.example"}"#,
            "`token_url` must be https (http is for loopback only)",
        ),
    ];
    for (name, text, message) in bad {
        let error = Credentials::from_json(text).unwrap_err();
        assert_eq!(error.to_string(), message, "{name}");
        assert!(!format!("{error:?}").contains(SECRET), "{name}");
    }
}

#[test]
fn only_what_may_pass_is_transient() {
    let secrets_manager = |is_transient| CredentialsError::SecretsManager {
        secret_id: "name".into(),
        reason: "because".into(),
        is_transient,
    };
    let other = |is_transient| CredentialsError::Other { reason: "because".into(), is_transient };
    for (error, expected) in [
        (CredentialsError::TimedOut, true),
        (secrets_manager(true), true),
        (secrets_manager(false), false),
        (other(true), true),
        (other(false), false),
        (CredentialsError::Invalid(Vec::new()), false),
        (CredentialsError::NotJson, false),
    ] {
        assert_eq!(error.is_transient(), expected, "{error:?}");
    }
}

const CLIENTS: &str = r#"{
    "order-service": {"client_id": "o1", "client_secret": "s3cr3t-value", "scopes": ["inventory/read"]},
    "storefront": {"client_id": "s1", "client_secret": "other", "scopes": []}
}"#;

fn clients_file(path: &Path, client: Option<&str>) -> ClientsFile {
    let token_url = "http://127.0.0.1:3000/oauth2/token".parse().unwrap();
    ClientsFile { path: path.to_owned(), client: client.map(str::to_owned), token_url, api_url: None }
}

#[tokio::test]
async fn one_client_of_a_clients_file_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("clients.json");
    let one = r#"{"only": {"client_id": "x1", "client_secret": "s3cr3t-value"}}"#;
    let cases = [
        ("by name", CLIENTS, Some("order-service"), Ok("o1")),
        ("the only one", one, None, Ok("x1")),
        (
            "another name",
            CLIENTS,
            Some("x"),
            Err("no client `x` in `clients.json`; it has order-service, storefront"),
        ),
        (
            "no name",
            CLIENTS,
            None,
            Err("`clients.json` has several clients, name one: order-service, storefront"),
        ),
        ("nobody", "{}", None, Err("`clients.json` is not a JSON object of clients")),
        ("not JSON", "s3cr3t-value", None, Err("`clients.json` is not a JSON object of clients")),
        (
            "no secret",
            r#"{"a": {"client_id": "s3cr3t-value"}}"#,
            None,
            Err("`clients.json` is not a JSON object of clients"),
        ),
    ];
    for (name, text, client, expected) in cases {
        write_private(&path, text);
        let read = clients_file(&path, client).read().await;
        match expected {
            Ok(id) => assert_eq!(read.unwrap().client_id, id, "{name}"),
            Err(reason) => {
                let error = read.unwrap_err();
                let folder = format!("{}/", directory.path().display());
                assert_eq!(error.to_string().replace(&folder, ""), reason, "{name}");
                assert!(!format!("{error:?}").contains(SECRET), "{name}");
            }
        }
    }
}

#[tokio::test]
async fn a_clients_file_that_is_missing_or_open_to_others_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("clients.json");
    let error = clients_file(&path, None).read().await.unwrap_err().to_string();
    assert!(error.ends_with("clients.json` cannot be read: entity not found"), "{error}");

    write_private(&path, CLIENTS);
    for mode in [0o640, 0o620, 0o610, 0o604, 0o602, 0o601, 0o644, 0o666] {
        set_mode(&path, mode);
        let error = clients_file(&path, Some("storefront")).read().await.unwrap_err();
        let CredentialsError::ClientsFile(ClientsFileError::NotPrivate { path: refused }) = &error else {
            panic!("{mode:o}: {error}");
        };
        assert_eq!(refused, &path);
        assert!(error.to_string().contains("; `chmod 600 "), "{error}");
    }
    for mode in [0o600, 0o400, 0o700] {
        set_mode(&path, mode);
        assert!(clients_file(&path, Some("storefront")).read().await.is_ok(), "{mode:o}");
    }
}

#[tokio::test]
async fn a_file_without_end_is_given_up() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("clients.json");
    let client = r#"{"a": {"client_id": "x", "client_secret": "y"}}"#;
    for (length, is_read) in [(1 << 20, true), ((1 << 20) + 1, false)] {
        let padding = " ".repeat(length - client.len());
        write_private(&path, &format!("{padding}{client}"));
        assert_eq!(clients_file(&path, None).read().await.is_ok(), is_read, "{length}");
    }
}

fn write_private(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    set_mode(path, 0o600);
}

fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
