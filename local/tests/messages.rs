//! What `local token` and `local call` say when something is wrong: the mistake, and what to do about it.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "test code")]

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};

const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");

/// A running `local`, ended with the test.
struct Serving {
    child: Child,
    port: String,
    folder: tempfile::TempDir,
}

impl Serving {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_local"))
            .current_dir(folder.path())
            .args(["--port", "0", "--template", TEMPLATE])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.by_ref().map(Result::unwrap).find(|line| line.starts_with("Serving ")).unwrap();
        // Somebody has to read on, or it would wait for that.
        std::thread::spawn(move || lines.for_each(drop));
        let port = first.rsplit(':').next().unwrap().to_owned();
        Self { child, port, folder }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Exit code, stdout and stderr.
fn run(folder: &Path, arguments: &str) -> (i32, String, String) {
    let words = arguments.split(' ').map(|word| word.replace('_', " "));
    let output = Command::new(env!("CARGO_BIN_EXE_local")).current_dir(folder).args(words).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The arguments, in which `_` stands for a space within one; the exit code; what standard error has to say.
type Case<'a> = (&'a str, &'a str, i32, &'a str);

const HELD: &str = "inventory/read, inventory/write, orders/read, orders/write, payments/read, payments/write, \
                    reports/read, reports/write";

#[test]
fn each_mistake_is_told_with_its_remedy() {
    let serving = Serving::start();
    let unused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let order = r#"{"lines":[{"sku":"coffee-1kg","quantity":1}]}"#;
    let cases: &[Case<'_>] = &[
        ("a token", "token --client storefront", 0, ""),
        ("a call", "call GET /inventory --client storefront --scope inventory/read", 0, "200 OK\n"),
        (
            "another folder",
            "token --client storefront --clients-file elsewhere/clients.json",
            2,
            "error: no clients file `elsewhere/clients.json` here; start `cargo run -p local` first, run this in the \
             folder where it was started, or name its file with `--clients-file`\n",
        ),
        (
            "a typing error",
            "token --client storefrnt",
            2,
            "error: no client `storefrnt` in `.local/clients.json`; did you mean `storefront`? it has order-service, \
             payment-service, report-service, storefront\n",
        ),
        (
            "no such client",
            "call GET /inventory --client nobody",
            2,
            "error: no client `nobody` in `.local/clients.json`; it has order-service, payment-service, \
             report-service, storefront\n",
        ),
        (
            "no client",
            "token",
            2,
            "error: name a client with `--client`: order-service, payment-service, report-service, storefront\n",
        ),
        (
            "a scope that is not held",
            "token --client storefront --scope orders/status_orders/read_x",
            2,
            &format!("error: the client does not hold orders/status, x; it holds {HELD}\n"),
        ),
        (
            "no slash",
            "call GET inventory --client storefront",
            2,
            "error: the path `inventory` must start with a slash: `/inventory`\n",
        ),
        ("no method", "call G_T /inventory --client storefront", 2, "error: `G T` is not an HTTP method\n"),
        (
            "no such route",
            "call GET /inventries?x=1 --client storefront",
            1,
            "404 Not Found\nhint: the API has no route GET /inventries\n",
        ),
        (
            "no key",
            &format!("call POST /orders --client storefront --data {order}"),
            1,
            "400 Bad Request\nhint: this call needs a key of your choice: add --header 'Idempotency-Key: \
             my-first-call'\n",
        ),
        (
            "a key",
            &format!("call POST /orders --client storefront --data {order} --header Idempotency-Key:_k1"),
            0,
            "201 Created\n",
        ),
        (
            "a route of others",
            r#"call PATCH /orders/1 --client storefront --data {"status":"paid"}"#,
            1,
            "403 Forbidden\nhint: the token is valid, but does not hold the scope of this route\n",
        ),
    ];
    for (name, arguments, code, notes) in cases {
        let (ended, output, said) =
            run(serving.folder.path(), &format!("{arguments} --port {}", serving.port));
        assert_eq!((ended, said.as_str()), (*code, *notes), "{name}: {output}");
        assert_eq!(output.is_empty(), *code == 2, "{name}: {output}");
    }
    for arguments in ["token --client storefront", "call GET /inventory --client storefront"] {
        let (ended, _, said) = run(serving.folder.path(), &format!("{arguments} --port {unused}"));
        let expected = format!(
            "error: nothing answers at http://127.0.0.1:{unused}/oauth2/token; start `cargo run -p local`, or give its \
             port with `--port`\n"
        );
        assert_eq!((ended, said), (2, expected), "{arguments}");
    }
    let other = Serving::start();
    let file = serving.folder.path().join(".local/clients.json");
    let stale = format!("token --client storefront --port {} --clients-file {}", other.port, file.display());
    let (ended, _, said) = run(other.folder.path(), &stale);
    let expected = format!(
        "error: the token endpoint does not know this client; was `{}` written by the `local` that runs there?\n",
        file.display()
    );
    assert_eq!((ended, said), (2, expected), "clients of another");
}
