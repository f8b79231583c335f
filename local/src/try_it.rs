//! The commands that `local` prints to be pasted into another terminal.

use std::{
    collections::BTreeMap,
    env,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use client::cli::{CLIENTS_FILE, PORT};

use crate::{clients::Clients, options::Options};

/// What the commands depend on.
pub(crate) struct TryIt {
    /// This very program: through Cargo, another profile or target folder would be built first.
    program: String,
    clients_file: PathBuf,
}

impl TryIt {
    pub(crate) fn of(options: &Options) -> Self {
        let program = env::current_exe().unwrap_or_else(|_| "local".into());
        let here = env::current_dir().unwrap_or_default();
        Self { program: quoted(&relative(&program, &here)), clients_file: options.clients_file.clone() }
    }

    /// The commands for a shell in the folder in which `local` was started.
    pub(crate) fn commands(&self, (client, path): (&str, &str), address: SocketAddr) -> String {
        let Self { program, clients_file } = self;
        let mut who = vec!["--client".to_owned(), client.to_owned()];
        if address.port() != PORT {
            who.extend(["--port".to_owned(), address.port().to_string()]);
        }
        if clients_file != Path::new(CLIENTS_FILE) {
            who.extend(["--clients-file".to_owned(), quoted(&clients_file.display().to_string())]);
        }
        let who = who.join(" ");
        format!(
            r#"  {program} call GET {path} {who}

  TOKEN=$({program} token {who})
  curl -i -H "Authorization: Bearer $TOKEN" http://{address}{path}
"#
        )
    }
}

/// A client and the path of a GET that it may call, as far as this template has any: the last client, and its first route
/// without parameters.
pub(crate) fn example<'a>(clients: &'a Clients, needs: &'a BTreeMap<String, String>) -> (&'a str, &'a str) {
    let open = clients.0.iter().rev().flat_map(|(name, client)| {
        let is_held = |scopes: &str| {
            scopes.split_whitespace().all(|scope| client.scopes.iter().any(|held| held == scope))
        };
        let paths = needs.iter().filter(move |(_, scopes)| is_held(scopes));
        let paths =
            paths.filter_map(|(route, _)| route.strip_prefix("GET ").filter(|path| !path.contains('{')));
        paths.map(|path| (name.as_str(), path))
    });
    let any = clients.0.keys().next_back().map_or("", String::as_str);
    open.into_iter().next().unwrap_or((any, "/"))
}

/// `program` as seen from `here`, if it is below.
fn relative(program: &Path, here: &Path) -> String {
    let below = program.strip_prefix(here).ok().filter(|path| path.components().count() > 1);
    below.unwrap_or(program).display().to_string()
}

/// A string as one word of a POSIX shell.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%".contains(c);
    if word.chars().all(is_plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(clients_file: &str, port: u16) -> String {
        let try_it = TryIt { program: "target/debug/local".to_owned(), clients_file: clients_file.into() };
        try_it.commands(("storefront", "/inventory"), SocketAddr::from(([127, 0, 0, 1], port)))
    }

    #[test]
    fn only_what_is_not_the_default_is_named() {
        insta::assert_snapshot!(commands(".local/clients.json", 3000), @r#"
          target/debug/local call GET /inventory --client storefront

          TOKEN=$(target/debug/local token --client storefront)
          curl -i -H "Authorization: Bearer $TOKEN" http://127.0.0.1:3000/inventory
        "#);
        let named = "--client storefront --port 3001 --clients-file 'it'\\''s here.json'";
        assert_eq!(commands("it's here.json", 3001).matches(named).count(), 2);
    }

    #[test]
    fn the_example_is_a_call_that_its_client_may_make() {
        let client = |scopes: &[&str]| crate::clients::Client {
            client_id: "a".into(),
            client_secret: "s".into(),
            scopes: scopes.iter().map(ToString::to_string).collect(),
        };
        let clients = [("a", client(&["x/read"])), ("b", client(&["x/write"]))];
        let clients = Clients(clients.map(|(name, client)| (name.to_owned(), client)).into());
        let needs =
            [("GET /a/{id}", "x/read"), ("GET /b", "x/write y/read"), ("GET /c", "x/read"), ("POST /d", "")];
        let needs: BTreeMap<_, _> = needs.map(|(route, scopes)| (route.to_owned(), scopes.to_owned())).into();
        assert_eq!(example(&clients, &needs), ("a", "/c"));
        assert_eq!(example(&clients, &BTreeMap::new()), ("b", "/"));
    }

    #[test]
    fn a_program_below_the_folder_is_named_from_there() {
        let cases = [
            ("/home/me/shop/target/debug/local", "target/debug/local"),
            ("/home/me/shop/local", "/home/me/shop/local"),
            ("/usr/bin/local", "/usr/bin/local"),
        ];
        for (program, expected) in cases {
            assert_eq!(relative(Path::new(program), Path::new("/home/me/shop")), expected);
        }
    }
}
