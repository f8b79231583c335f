//! Tables from descriptions and templates, and what is told of what they lack.

use std::fs;

use clap::Parser as _;
use gateway::template::Facts;
use tempfile::TempDir;

use super::command::RoutesCommandError;
use crate::{
    options::{Command, CommandLine},
    template_file,
};

/// What is printed, what is noted besides, and whether the answer is no; or the error, and what was noted before it.
type Done = Result<(String, Vec<String>, bool), (String, Vec<String>)>;

/// What `local routes` prints for these arguments in a folder with these files.
fn run(files: &[(&str, &str)], arguments: &[&str]) -> Done {
    let folder: TempDir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let in_folder = |argument: &&str| {
        let path = folder.path().join(argument);
        if path.exists() { path.to_str().unwrap().to_owned() } else { (*argument).to_owned() }
    };
    let arguments = ["local", "routes"].map(str::to_owned).into_iter().chain(arguments.iter().map(in_folder));
    let Some(Command::Routes(routes)) = CommandLine::parse_from(arguments).command else {
        panic!("another command")
    };
    let mut notes = Vec::new();
    let printed: Result<_, RoutesCommandError> = routes.run(|note| notes.push(note.to_owned()));
    match printed {
        Ok(printed) => Ok((printed.text, notes, printed.is_no)),
        Err(error) => Err((error.to_string().replace(folder.path().to_str().unwrap(), ""), notes)),
    }
}

const OPENAPI: &str = r#"
openapi: 3.0.3
security: [{ oauth: [shop/read] }]
paths:
  /things:
    get: {}
    post: { security: [{ oauth: [shop/write], other: [shop/audit], key: [] }] }
    trace: {}
  /things/{id}:
    get: { security: [{ oauth: [] }] }
    put: { security: [{ oauth: [shop/write] }, { oauth: [shop/admin] }] }
    patch: { security: [{ oauth: [shop/write] }, { key: [] }] }
    delete: { security: [{ key: [] }] }
    head: { security: [] }
    options: { security: [{}, { oauth: [shop/read] }] }
  /things/{number}/parts: { get: {} }
  /things/{number}: { post: {}, get: {} }
  /files/{name}.json: { get: {} }
  /orders: { get: { security: [{ oauth: ["read:orders"] }] }, put: { security: [{ bearer: [shop/put] }] } }
  /bare: { get: { security: [{ bearer: [] }] } }
  /elsewhere: { $ref: "other.yaml#/x" }
components:
  securitySchemes:
    oauth: { type: oauth2 }
    other: { type: openIdConnect }
    key: { type: apiKey }
    bearer: { type: http, scheme: Bearer }
"#;

#[test]
fn a_description_becomes_a_table_and_what_it_lacks_is_told() {
    let (text, notes, is_no) = run(&[("api.yaml", OPENAPI)], &["--from-openapi", "api.yaml"]).unwrap();
    assert!(!is_no);
    insta::assert_snapshot!(text, @r#"
    {
      "GET /things": ["shop/read"],
      "GET /things/{id}": [],
      "GET /things/{id}/parts": ["shop/read"],
      "PATCH /things/{id}": ["shop/write"],
      "POST /things": ["shop/audit", "shop/write"],
      "POST /things/{id}": ["shop/read"],
      "PUT /orders": ["shop/put"]
    }
    "#);
    insta::assert_snapshot!(notes.join("\n"), @r#"
    left out: `GET /bare`: its `security` names no OAuth 2 scheme
    left out: `/elsewhere`: it is described elsewhere (`$ref`)
    left out: `GET /files/{name}.json`: a segment must be `{name}`, or letters, digits, `.`, `_`, `-` and `:`
    left out: `GET /orders`: the scope `read:orders`: a scope reads `resource-server/name`
    left out: `TRACE /things`: API Gateway has no such method
    any valid token: `GET /things/{id}` asks for a token, but for no scope
    left out: `HEAD /things/{id}`: it asks for no token
    left out: `PUT /things/{id}`: one of several sets of scopes will do, and a table asks for all
    left out: `DELETE /things/{id}`: its `security` names no OAuth 2 scheme
    left out: `OPTIONS /things/{id}`: a token is optional
    left out: `GET /things/{id}` and `GET /things/{number}` have different parameters at the same place
    renamed: `POST /things/{number}` is written as `POST /things/{id}`, since `GET /things/{id}` is there too
    renamed: `GET /things/{number}/parts` is written as `GET /things/{id}/parts`, since `GET /things/{id}` is there too
    "#);
}

#[test]
fn scopes_without_a_slash_are_put_into_the_resource_server_that_is_named() {
    let arguments = ["--from-openapi", "api.yaml", "--resource-server", "acme"];
    let (text, notes, _) = run(&[("api.yaml", OPENAPI)], &arguments).unwrap();
    assert!(text.contains(r#""GET /orders": ["acme/read:orders"]"#), "{text}");
    assert!(text.contains(r#""GET /things": ["shop/read"]"#), "{text}");
    assert!(!notes.iter().any(|note| note.contains("read:orders")), "{notes:?}");
}

#[test]
fn swagger_2_and_json_are_read_too() {
    let swagger = r#"{
        "swagger": "2.0", "basePath": "/v1",
        "paths": {"/a": {"get": {"security": [{"o": ["s/a"]}]}, "x-amazon-apigateway-any-method": {}}},
        "security": [{"o": ["s/b", "s/a"]}], "securityDefinitions": {"o": {"type": "oauth2"}}
    }"#;
    let (text, notes, _) = run(&[("api.json", swagger)], &["--from-openapi", "api.json"]).unwrap();
    insta::assert_snapshot!(text, @r#"
    {
      "ANY /a": ["s/a", "s/b"],
      "GET /a": ["s/a"]
    }
    "#);
    assert_eq!(notes, [] as [String; 0]);
}

#[test]
fn what_is_no_description_or_has_no_scopes_gives_no_table() {
    let none = "swagger: '2.0'\npaths: { /a: { get: {} } }";
    let (error, notes) = run(&[("a.yaml", none)], &["--from-openapi", "a.yaml"]).unwrap_err();
    assert_eq!(error, "no route of `/a.yaml` can be written: see above");
    assert_eq!(notes, ["left out: `GET /a`: it has no `security`"]);
    for (text, expected) in [
        ("a: b", "`/a.yaml` is not an OpenAPI 3 or Swagger 2 description with `paths`"),
        ("openapi: 3.0.0", "`/a.yaml` is not an OpenAPI 3 or Swagger 2 description with `paths`"),
        ("", "/a.yaml:1: must be a mapping"),
        ("a: &x 1\nb: *x", "/a.yaml:2: b: not supported in YAML here: aliases"),
        ("a: 1\na: 2", "/a.yaml:2: a: this key appears twice"),
        ("{", "`/a.yaml` is not valid JSON"),
    ] {
        let (error, _) = run(&[("a.yaml", text)], &["--from-openapi", "a.yaml"]).unwrap_err();
        assert_eq!(error, expected, "{text}");
    }
}

const TEMPLATE: &str = "
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: dev
      Auth:
        DefaultAuthorizer: Scopes
        Authorizers: { Scopes: { FunctionArn: !GetAtt Authorizer.Arn } }
  Authorizer:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: rust-cargolambda, BuildProperties: { Binary: authorizer } }
  Things:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: rust-cargolambda, BuildProperties: { Binary: things } }
    Properties:
      Events:
        Read: { Type: Api, Properties: { RestApiId: !Ref Api, Method: GET, Path: /things } }
        All: { Type: Api, Properties: { RestApiId: !Ref Api, Method: ANY, Path: '/things/{id}' } }
        Open: { Type: Api, Properties: { RestApiId: !Ref Api, Method: GET, Path: /, Auth: { Authorizer: NONE } } }
";

#[test]
fn a_template_gives_its_routes_to_fill_in() {
    let (text, notes, _) = run(&[("t.yaml", TEMPLATE)], &["--from-template", "t.yaml"]).unwrap();
    insta::assert_snapshot!(text, @r#"
    {
      "ANY /things/{id}": [],
      "GET /things": []
    }
    "#);
    insta::assert_snapshot!(notes.join("\n"), @r"
    to fill in: `ANY /things/{id}` has no scopes yet, so any valid token will do
    left out: `GET /`: the template asks no authorizer about it
    to fill in: `GET /things` has no scopes yet, so any valid token will do
    ");
}

#[test]
fn a_template_without_an_authorizer_gives_all_its_routes_to_fill_in() {
    let template = "Transform: AWS::Serverless-2016-10-31
Parameters: { Path: { Type: String } }
Resources:
  Api: { Type: AWS::Serverless::Api, Properties: { StageName: prod, Cors: \"'*'\" } }
  Books:
    Type: AWS::Serverless::Function
    Properties:
      Handler: books.handler
      Runtime: python3.13
      Events:
        Read: { Type: Api, Properties: { RestApiId: !Ref Api, Method: GET, Path: !Ref Path } }
";
    let files = [("t.yaml", template)];
    let (error, _) = run(&files, &["--from-template", "t.yaml"]).unwrap_err();
    assert!(error.contains("the parameter `Path` has no default"), "{error}");
    let parameter = ["--parameter", "Path=/books"];
    let (text, _, _) = run(&files, &[&["--from-template", "t.yaml"], &parameter[..]].concat()).unwrap();
    assert_eq!(text, "{\n  \"GET /books\": []\n}\n");
    let files = [("t.yaml", template), ("r.json", &text)];
    let check = ["check", "--template", "t.yaml", "--routes", "r.json"];
    let (text, _, is_no) = run(&files, &[&check, &parameter[..]].concat()).unwrap();
    assert!(is_no && text.contains("the template asks no authorizer about it"), "{text}");
}

#[test]
fn a_release_is_an_authorizer_with_the_settings_of_the_template_and_the_table_of_its_layer() {
    let folder = tempfile::tempdir().unwrap();
    let layer = folder.path().join("scopegate/layer");
    fs::create_dir_all(&layer).unwrap();
    fs::write(layer.join("routes.json"), r#"{"ANY /things/{id}": [], "GET /things": ["a/a"]}"#).unwrap();
    let own = "    Metadata: { BuildMethod: rust-cargolambda, BuildProperties: { Binary: authorizer } }\n";
    let (before, after) = TEMPLATE.split_once(own).unwrap();
    let application = "
    Type: AWS::Serverless::Application
    Properties: { Location: scopegate/authorizer.yaml, Parameters: { UserPoolId: pool, ClientIds: '*' } }
";
    let nested = before.replace("Authorizer.Arn", "Authorizer.Outputs.FunctionArn");
    let nested = nested.strip_suffix("\n    Type: AWS::Serverless::Function\n").unwrap();
    let zip = "    Properties:
      CodeUri: scopegate/authorizer-arm64.zip
      Environment: { Variables: { USER_POOL_ID: pool, CLIENT_IDS: '*' } }
";
    for text in [format!("{nested}{application}{after}"), format!("{before}{zip}{after}")] {
        let path = folder.path().join("template.yaml");
        fs::write(&path, &text).unwrap();
        let mut stack = template_file::read(&path).unwrap().stack(&Facts::default()).unwrap();
        let table = super::fill(&mut stack, &path).unwrap().unwrap();
        assert_eq!(table.routes().len(), 8);
        let authorizer = &stack.functions["Authorizer"];
        assert!(super::is_release(authorizer) && authorizer.binary == "authorizer", "{text}");
        assert_eq!(authorizer.environment["USER_POOL_ID"], "pool");
        assert_eq!(authorizer.environment["CLIENT_IDS"], "*");
        assert!(authorizer.environment["ROUTES"].contains("GET /things"));
    }
}

#[test]
fn differences_of_table_and_template_are_told() {
    let check = |routes: &str| {
        let files = [("t.yaml", TEMPLATE), ("routes.json", routes)];
        run(&files, &["check", "--template", "t.yaml"]).unwrap()
    };
    let same = r#"{"GET /things": ["a/a"], "ANY /things/{id}": ["a/a"], "PUT /things/{id}": ["a/b"]}"#;
    assert_eq!(check(same), (String::new(), vec![], false));
    let (text, _, is_no) = check(r#"{"GET /thing": ["a/a"], "ANY /things/{id}": ["a/a"], "GET /": []}"#);
    assert!(is_no);
    insta::assert_snapshot!(text, @r"
    `GET /things` is in the template only: every call of it would be 403
    `GET /` is in the table, but the template asks no authorizer about it
    `GET /thing` is in the table only: the template does not serve it
    ");
    let files = [("t.yaml", TEMPLATE), ("r.json", same)];
    let (text, _, _) = run(&files, &["check", "--template", "t.yaml", "--routes", "r.json"]).unwrap();
    assert_eq!(text, "");
    let (error, _) = run(&files, &["check", "--template", "t.yaml"]).unwrap_err();
    assert!(error.starts_with("the route table `/routes.json` cannot be read"), "{error}");
}
