//! APIs that have a definition of their own.

use std::collections::BTreeMap;

use super::service::{routes, service_of};
use crate::rest::api::{Identity, IdentitySource, Integration};

fn indented(text: &str, by: usize) -> String {
    let blanks = " ".repeat(by);
    format!("{blanks}{}\n", text.trim_end().replace('\n', &format!("\n{blanks}")))
}

/// A definition, in OpenAPI 3 with this head and this place for security schemes.
fn definition(head: &str, schemes: &str) -> String {
    let uri = |function: &str| {
        format!(
            "{{\"Fn::Sub\": \"arn:aws:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{{function}.Arn}}/invocations\"}}"
        )
    };
    let (items, check) = (uri("Items"), uri("Check"));
    let lambda = format!(
        "x-amazon-apigateway-integration: {{ type: aws_proxy, httpMethod: POST, uri: {items}, timeoutInMillis: 5000 }}"
    );
    let all = format!(
        "
Token:
  type: apiKey
  name: X-Token
  in: header
  x-amazon-apigateway-authtype: custom
  x-amazon-apigateway-authorizer:
    type: token
    authorizerUri: {check}
    identityValidationExpression: '^a+$'
    authorizerResultTtlInSeconds: 60
Request:
  type: apiKey
  name: Unused
  in: header
  x-amazon-apigateway-authtype: custom
  x-amazon-apigateway-authorizer:
    type: request
    authorizerUri: {check}
    identitySource: 'method.request.querystring.t, context.httpMethod'
Iam: {{ type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authtype: awsSigv4 }}
Key: {{ type: apiKey, name: x-api-key, in: header }}
"
    );
    let (before, depth) = schemes.rsplit_once('\n').map_or((schemes, 2), |_| (schemes, 4));
    format!(
        "{head}
x-amazon-apigateway-gateway-responses:
  UNAUTHORIZED:
    statusCode: 401
    responseParameters: {{ gatewayresponse.header.WWW-Authenticate: \"'Bearer'\" }}
    responseTemplates: {{ application/json: '{{}}' }}
x-amazon-apigateway-binary-media-types: [image/png]
paths:
  /token:
    get: {{ security: [{{ Token: [] }}], {lambda} }}
  /request:
    parameters: []
    x-amazon-apigateway-any-method: {{ security: [{{ Request: [], Key: [] }}], {lambda} }}
  /iam:
    post: {{ security: [{{ Iam: [] }}], {lambda} }}
  /open:
    put: {{ {lambda} }}
  /http:
    get: {{ x-amazon-apigateway-integration: {{ type: http_proxy, uri: 'https://example.com' }} }}
  /mock:
    get:
      x-amazon-apigateway-integration:
        type: mock
        requestTemplates: {{ application/json: '{{\"statusCode\": 202}}' }}
        responses:
          default:
            statusCode: '202'
            responseParameters: {{ method.response.header.X-A: \"'b'\" }}
            responseTemplates: {{ application/json: '{{\"ok\":true}}' }}
{before}
{}",
        indented(&all, depth)
    )
}

const AROUND: &str = "
Resources:
  Check: { Type: AWS::Serverless::Function }
  Items: { Type: AWS::Serverless::Function, Properties: { Runtime: java21 } }
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
";

#[test]
fn definitions_of_both_kinds_are_read_inline_from_a_file_and_by_include() {
    let swagger = definition("swagger: '2.0'", "securityDefinitions:");
    let openapi = definition("openapi: 3.0.1", "components:\n  securitySchemes:");
    let inline = indented(&swagger, 8);
    let files = BTreeMap::from([("api.yaml", openapi.as_str())]);
    let include = "      DefinitionBody:\n        Fn::Transform: { Name: AWS::Include, Parameters: { Location: api.yaml } }\n";
    let cases = [
        ("inline", format!("{AROUND}      DefinitionBody:\n{inline}")),
        ("a file", format!("{AROUND}      DefinitionUri: api.yaml\n")),
        ("an include", format!("{AROUND}{include}")),
    ];
    for (name, text) in cases {
        let service = service_of(&text, None, &[], &files).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut all = routes(&service);
        all.sort();
        let expected = [
            "ANY /request Items Request",
            "GET /http 500 open",
            "GET /mock mock open",
            "GET /token Items Token",
            "POST /iam Items 500",
            "PUT /open Items open",
        ];
        assert_eq!(all, expected, "{name}");
        let keyed: Vec<_> = service.api.methods.iter().filter(|method| method.api_key_required).collect();
        assert_eq!((keyed.len(), keyed[0].resource.as_str()), (1, "/request"), "{name}");
        let token = &service.api.authorizers["Token"];
        let Identity::Token { header, validation } = &token.identity else { panic!("{name}") };
        assert_eq!((header.as_str(), token.cache_time.as_secs()), ("X-Token", 60), "{name}");
        assert!(validation.as_ref().is_some_and(|validation| !validation.is_match("b")), "{name}");
        let Identity::Request(sources) = &service.api.authorizers["Request"].identity else {
            panic!("{name}")
        };
        let expected =
            [IdentitySource::QueryString("t".to_owned()), IdentitySource::Context("httpMethod".to_owned())];
        assert_eq!(sources, &expected, "{name}");
        let response = &service.api.responses["UNAUTHORIZED"];
        assert_eq!((response.status, response.headers["WWW-Authenticate"].as_str()), (Some(401), "'Bearer'"));
        assert_eq!(service.api.binary_media_types, ["image/png"]);
        let mock = service.api.methods.iter().find(|method| method.resource == "/mock").unwrap();
        let Integration::Mock(mock) = &mock.integration else { panic!("{name}") };
        assert_eq!(
            (mock.status, mock.headers["X-A"].as_str(), mock.body.as_str()),
            (202, "b", r#"{"ok":true}"#)
        );
    }
}
