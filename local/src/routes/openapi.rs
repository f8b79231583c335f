//! The routes of an OpenAPI 3 or Swagger 2 description: the scopes that `security` asks of an OAuth 2 scheme.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::Draft;

/// The members of a path that are operations, and the verbs of their routes.
const OPERATIONS: [(&str, &str); 8] = [
    ("get", "GET"),
    ("head", "HEAD"),
    ("post", "POST"),
    ("put", "PUT"),
    ("patch", "PATCH"),
    ("delete", "DELETE"),
    ("options", "OPTIONS"),
    ("x-amazon-apigateway-any-method", "ANY"),
];

/// What an operation asks of its caller.
enum Asked {
    /// These scopes of an OAuth 2 scheme.
    Scopes(BTreeSet<String>),
    /// Nothing that a table can say.
    Unknown(&'static str),
}

/// The routes of a description, or `None` if it is not one.
///
/// A scope without a slash is put into the resource server `server`, if there is one.
pub(super) fn draft(document: &Value, server: Option<&str>) -> Option<Draft> {
    if document.get("openapi").is_none() && document.get("swagger").is_none() {
        return None;
    }
    let paths = document.get("paths")?.as_object()?;
    let tokens = token_schemes(document);
    let named = |scope: String| match server {
        Some(server) if !scope.contains('/') => format!("{server}/{scope}"),
        Some(_) | None => scope,
    };
    let mut draft = Draft::default();
    for (path, item) in paths {
        for (member, verb) in OPERATIONS {
            let Some(operation) = item.get(member) else { continue };
            let route = format!("{verb} {path}");
            let security = operation.get("security").or_else(|| document.get("security"));
            match asked(security, &tokens) {
                Asked::Scopes(scopes) => {
                    if scopes.is_empty() {
                        draft
                            .notes
                            .push(format!("any valid token: `{route}` asks for a token, but for no scope"));
                    }
                    draft.add(&route, scopes.into_iter().map(named).collect());
                }
                Asked::Unknown(why) => draft.notes.push(format!("left out: `{route}`: {why}")),
            }
        }
        if item.get("trace").is_some() {
            draft.notes.push(format!("left out: `TRACE {path}`: API Gateway has no such method"));
        }
        if item.get("$ref").is_some() {
            draft.notes.push(format!("left out: `{path}`: it is described elsewhere (`$ref`)"));
        }
    }
    Some(draft)
}

/// The names of the schemes whose tokens have scopes, and whether a list of them may be empty: a bearer token of another
/// kind has scopes only where the description lists some.
// SPEC: OpenAPI 3.1, "Security Requirement Object"
fn token_schemes(document: &Value) -> BTreeMap<&str, bool> {
    let schemes = ["/components/securitySchemes", "/securityDefinitions"].map(|path| document.pointer(path));
    let schemes = schemes.into_iter().flatten().filter_map(Value::as_object).flatten();
    let kind = |scheme: &Value| match scheme.get("type")?.as_str()? {
        "oauth2" | "openIdConnect" => Some(true),
        "http" if scheme.get("scheme")?.as_str()?.eq_ignore_ascii_case("bearer") => Some(false),
        _ => None,
    };
    schemes.filter_map(|(name, scheme)| Some((name.as_str(), kind(scheme)?))).collect()
}

fn asked(security: Option<&Value>, tokens: &BTreeMap<&str, bool>) -> Asked {
    let Some(alternatives) = security.and_then(Value::as_array) else {
        return Asked::Unknown("it has no `security`");
    };
    let alternatives: Option<Vec<&Map<String, Value>>> = alternatives.iter().map(Value::as_object).collect();
    let Some(alternatives) = alternatives else { return Asked::Unknown("its `security` is malformed") };
    if alternatives.iter().all(|schemes| schemes.is_empty()) {
        return Asked::Unknown("it asks for no token");
    }
    if alternatives.iter().any(|schemes| schemes.is_empty()) {
        return Asked::Unknown("a token is optional");
    }
    let mut sets = BTreeSet::new();
    for schemes in alternatives {
        let is_empty = |list: &Value| list.as_array().is_some_and(Vec::is_empty);
        let has_scopes = |name: &str, list| tokens.get(name).is_some_and(|empty| *empty || !is_empty(list));
        let lists = schemes.iter().filter(|(name, list)| has_scopes(name, list));
        let lists: Vec<&Value> = lists.map(|(_, scopes)| scopes).collect();
        if lists.is_empty() {
            continue;
        }
        let scopes = lists.into_iter().flat_map(|list| list.as_array().into_iter().flatten());
        let scopes: Option<BTreeSet<String>> = scopes.map(|scope| Some(scope.as_str()?.to_owned())).collect();
        let Some(scopes) = scopes else { return Asked::Unknown("its `security` is malformed") };
        sets.insert(scopes);
    }
    match (sets.pop_first(), sets.is_empty()) {
        (None, _) => Asked::Unknown("its `security` names no OAuth 2 scheme"),
        (Some(scopes), true) => Asked::Scopes(scopes),
        (Some(_), false) => Asked::Unknown("one of several sets of scopes will do, and a table asks for all"),
    }
}
