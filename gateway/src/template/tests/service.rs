//! APIs of templates that were not written for this reader.

use std::collections::BTreeMap;

use super::super::{Facts, Service, Template, TemplateError};
use crate::rest::api::{Access, Identity, IdentitySource, Integration};

const HEAD: &str = "Transform: AWS::Serverless-2016-10-31\n";

fn service(text: &str) -> Result<Service, TemplateError> {
    service_of(text, None, &[], &BTreeMap::new())
}

pub(super) fn service_of(
    text: &str,
    api: Option<&str>,
    parameters: &[(&str, &str)],
    files: &BTreeMap<&str, &str>,
) -> Result<Service, TemplateError> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let facts = Facts { parameters: parameters.iter().map(owned).collect(), ..Facts::default() };
    let read = |location: &str| files.get(location).map(|text| (*text).to_owned());
    Template::parse_with("template.yaml", &format!("{HEAD}{text}"), &read)?.service(&facts, api)
}

/// `VERB /path function access`, one line a method.
pub(super) fn routes(service: &Service) -> Vec<String> {
    let shown = |method: &crate::rest::api::ApiMethod| {
        let access = match &method.access {
            Access::Open => "open",
            Access::Authorizer(name) => name,
            Access::NotPlayed(_) => "500",
        };
        let integration = match &method.integration {
            Integration::Function { name, .. } => name,
            Integration::Mock(_) => "mock",
            Integration::NotPlayed(_) => "500",
        };
        format!("{} {} {integration} {access}", method.verb, method.resource)
    };
    service.api.methods.iter().map(shown).collect()
}

fn notices(service: &Service) -> Vec<String> {
    service.notices.iter().map(ToString::to_string).collect()
}

#[test]
fn the_implicit_api_of_any_runtime_is_served_and_all_else_left_alone() {
    let service = service(
        "
Globals:
  Api:
    Auth: { DefaultAuthorizer: Mine, Authorizers: { Mine: { FunctionArn: !GetAtt Check.Arn } } }
Parameters: { Secret: { Type: String } }
Resources:
  Check: { Type: AWS::Serverless::Function, Properties: { Runtime: python3.13, Timeout: 7, Environment: { Variables: { S: !Ref Secret } } } }
  Items:
    Type: AWS::Serverless::Function
    Properties:
      PackageType: Image
      FunctionUrlConfig: { AuthType: NONE }
      Events:
        A: { Type: Api, Properties: { Path: /items, Method: get } }
        B: { Type: Api, Properties: { Path: /open, Method: '*', Auth: { Authorizer: NONE } } }
        C: { Type: SQS, Properties: { Queue: !GetAtt Queue.Arn } }
  Queue: { Type: AWS::SQS::Queue }
  Nested: { Type: AWS::Serverless::Application, Properties: { Location: x } }
  Layer: { Type: AWS::Serverless::LayerVersion, Properties: { ContentUri: x } }
  Other: { Type: Custom::Anything }
",
    )
    .unwrap();
    assert_eq!(routes(&service), ["GET /items Items Mine", "ANY /open Items open"]);
    assert_eq!((service.api.stage.as_str(), notices(&service).len()), ("Prod", 0));
    assert_eq!(
        (service.functions["Check"].binary.as_deref(), service.functions["Check"].timeout.as_secs()),
        (None, 7)
    );
}

#[test]
fn a_nested_application_can_be_the_authorizer() {
    let service = service(
        "
Resources:
  Shared: { Type: AWS::Serverless::Application, Properties: { Location: x.yaml, Parameters: { Pool: !ImportValue p } } }
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      Auth: { DefaultAuthorizer: Mine, Authorizers: { Mine: { FunctionArn: !GetAtt Shared.Outputs.FunctionArn } } }
  Items:
    Type: AWS::Serverless::Function
    Properties: { Events: { A: { Type: Api, Properties: { RestApiId: !Ref Api, Path: /items, Method: get } } } }
",
    )
    .unwrap();
    assert_eq!(routes(&service), ["GET /items Items Mine"]);
    assert_eq!(service.api.authorizers["Mine"].function, "Shared");
    assert!(service.functions.contains_key("Shared"));
}

#[test]
fn one_of_several_apis_is_chosen() {
    let text = "
Parameters: { Stage: { Type: String } }
Resources:
  First: { Type: AWS::Serverless::Api, Properties: { StageName: !Ref Stage } }
  Second: { Type: AWS::Serverless::Api, Properties: { StageName: two } }
  Items:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        A: { Type: Api, Properties: { Path: /one, Method: get, RestApiId: !Ref First } }
        B: { Type: Api, Properties: { Path: /two, Method: get, RestApiId: !Ref Second } }
        C: { Type: Api, Properties: { Path: /three, Method: get } }
";
    let files = BTreeMap::new();
    let error = service(text).unwrap_err().to_string();
    assert!(error.ends_with("with --api: First, Second, ServerlessRestApi"), "{error}");
    for (api, parameters, expected) in [
        ("First", &[("Stage", "one")][..], "GET /one Items open"),
        ("Second", &[], "GET /two Items open"),
        ("ServerlessRestApi", &[], "GET /three Items open"),
    ] {
        assert_eq!(routes(&service_of(text, Some(api), parameters, &files).unwrap()), [expected], "{api}");
    }
    let missing = service_of(text, Some("First"), &[], &files).unwrap_err().to_string();
    assert!(missing.contains("the parameter `Stage` has no default"), "{missing}");
    assert!(service_of(text, Some("Third"), &[], &files).is_err());
}

#[test]
fn authorizers_of_other_kinds_never_open_their_routes() {
    let service = service(
        "
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      Auth:
        DefaultAuthorizer: Pool
        Authorizers:
          Pool: { UserPoolArn: !GetAtt Users.Arn, AuthorizationScopes: [a] }
          Native: { IssuerUrl: https://issuer.example }
          Request:
            FunctionPayloadType: REQUEST
            FunctionArn: arn:aws:lambda:eu-west-1:123456789012:function:shared-check:live
            Identity:
              ReauthorizeEvery: 0
              Context: [identity.sourceIp]
              QueryStrings: [tenant]
              Headers: [X-Key, X-Other]
              StageVariables: [tier]
      Variables: { tier: gold }
  Users: { Type: AWS::Cognito::UserPool }
  Items:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        A: { Type: Api, Properties: { Path: /pool, Method: get, RestApiId: !Ref Api } }
        B: { Type: Api, Properties: { Path: /iam, Method: get, RestApiId: !Ref Api, Auth: { Authorizer: AWS_IAM } } }
        C: { Type: Api, Properties: { Path: /native, Method: get, RestApiId: !Ref Api, Auth: { Authorizer: Native } } }
        D: { Type: Api, Properties: { Path: /request, Method: get, RestApiId: !Ref Api, Auth: { Authorizer: Request } } }
",
    )
    .unwrap();
    let expected =
        ["GET /pool Items 500", "GET /iam Items 500", "GET /native Items 500", "GET /request Items Request"];
    assert_eq!(routes(&service), expected);
    assert_eq!(notices(&service).len(), 3, "{:?}", notices(&service));
    let authorizer = &service.api.authorizers["Request"];
    assert_eq!(authorizer.function, "shared-check");
    assert!(authorizer.cache_time.is_zero() && service.functions.contains_key("shared-check"));
    let Identity::Request(sources) = &authorizer.identity else { panic!("{authorizer:?}") };
    let header = |name: &str| IdentitySource::Header(name.to_owned());
    let expected = [
        header("X-Key"),
        header("X-Other"),
        IdentitySource::QueryString("tenant".to_owned()),
        IdentitySource::StageVariable("tier".to_owned()),
        IdentitySource::Context("identity.sourceIp".to_owned()),
    ];
    assert_eq!(sources, &expected);
    assert_eq!(service.api.stage_variables["tier"], "gold");
}

#[test]
fn cors_answers_preflight_requests() {
    let of = |auth: &str| {
        let text = format!(
            "
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      Cors: {{ AllowOrigin: \"'https://a.example'\", AllowHeaders: \"'X-A'\", MaxAge: \"'600'\", AllowCredentials: true }}
      Auth: {{ DefaultAuthorizer: Mine, {auth} Authorizers: {{ Mine: {{ FunctionArn: !GetAtt Check.Arn }} }} }}
  Check: {{ Type: AWS::Serverless::Function }}
  Items:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        A: {{ Type: Api, Properties: {{ Path: /a, Method: get, RestApiId: !Ref Api }} }}
        B: {{ Type: Api, Properties: {{ Path: /a, Method: post, RestApiId: !Ref Api }} }}
        C: {{ Type: Api, Properties: {{ Path: /b, Method: options, RestApiId: !Ref Api }} }}
        D: {{ Type: Api, Properties: {{ Path: /c, Method: any, RestApiId: !Ref Api }} }}
"
        );
        service(&text).unwrap()
    };
    let guarded = of("");
    let expected = [
        "GET /a Items Mine",
        "POST /a Items Mine",
        "OPTIONS /b Items Mine",
        "ANY /c Items Mine",
        "OPTIONS /a mock Mine",
        "OPTIONS /c mock Mine",
    ];
    assert_eq!(routes(&guarded), expected);
    let open = of("AddDefaultAuthorizerToCorsPreflight: false,");
    assert_eq!(routes(&open)[4..], ["OPTIONS /a mock open", "OPTIONS /c mock open"]);
    let headers = |index: usize| match &open.api.methods[index].integration {
        Integration::Mock(mock) => mock.headers.iter().map(|(k, v)| format!("{k}: {v}")).collect::<Vec<_>>(),
        Integration::Function { .. } | Integration::NotPlayed(_) => panic!("not a mock"),
    };
    let expected = [
        "Access-Control-Allow-Credentials: true",
        "Access-Control-Allow-Headers: X-A",
        "Access-Control-Allow-Methods: GET,OPTIONS,POST",
        "Access-Control-Allow-Origin: https://a.example",
        "Access-Control-Max-Age: 600",
    ];
    assert_eq!(headers(4), expected);
    assert_eq!(headers(5)[2], "Access-Control-Allow-Methods: DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT");
}

#[test]
fn loops_are_written_out() {
    let text = "
Parameters: { Names: { Type: CommaDelimitedList, Default: 'a-1, b' } }
Resources:
  Fn::ForEach::Functions:
    - Name
    - !Ref Names
    - 'Make&{Name}':
        Type: AWS::Serverless::Function
        Properties:
          FunctionName: !Sub 'f-${Name}'
          Events:
            Fn::ForEach::Verbs:
              - Verb
              - [get, post]
              - 'On${Verb}': { Type: Api, Properties: { Path: !Sub '/${Name}', Method: !Ref Verb } }
";
    let text = text.replace("Transform", "");
    let read = |parameters: &[(&str, &str)]| {
        let text = text.clone();
        let facts = Facts {
            parameters: parameters.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            ..Facts::default()
        };
        let head = "Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]\n";
        Template::parse("template.yaml", &format!("{head}{text}"))?.service(&facts, None)
    };
    let expected =
        ["GET /a-1 Makea1 open", "POST /a-1 Makea1 open", "GET /b Makeb open", "POST /b Makeb open"];
    assert_eq!(routes(&read(&[]).unwrap()), expected);
    assert_eq!(routes(&read(&[("Names", "c")]).unwrap()), ["GET /c Makec open", "POST /c Makec open"]);
    let twice = read(&[("Names", "c,c")]).unwrap_err().to_string();
    assert!(twice.contains("Makec: this key appears twice"), "{twice}");
}

#[test]
fn a_loop_goes_over_a_list_of_a_mapping() {
    let text = "
Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
Parameters: { Kind: { Type: String, Default: Few } }
Mappings:
  Names: { Functions: { Few: [Items], All: [Items, Orders] }, Items: { Verbs: [get, put] }, Orders: { Verbs: [post] } }
Resources:
  Fn::ForEach::Functions:
    - Name
    - !FindInMap [Names, Functions, !Ref Kind]
    - ${Name}:
        Type: AWS::Serverless::Function
        Properties:
          Events:
            Fn::ForEach::Verbs:
              - Verb
              - !FindInMap [Names, !Ref Name, Verbs]
              - 'On${Verb}': { Type: Api, Properties: { Path: !Sub '/${Name}', Method: !Ref Verb } }
";
    let read = |kind: &str| {
        let parameters = [("Kind".to_owned(), kind.to_owned())].into();
        Template::parse("template.yaml", text)?
            .service(&Facts { parameters, ..Facts::default() }, None)
            .map(|service| routes(&service))
    };
    assert_eq!(read("Few").unwrap(), ["GET /Items Items open", "PUT /Items Items open"]);
    assert_eq!(read("All").unwrap().last().unwrap(), "POST /Orders Orders open");
    let error = read("None").unwrap_err().to_string();
    assert!(error.contains("an identifier, a list of strings, and what to repeat"), "{error}");
}

#[test]
fn what_cannot_be_served_says_so() {
    let method = "Resources: { M: { Type: AWS::ApiGateway::Method, Properties: {} } }";
    let rows = [
        (method, "M.Properties: valid on AWS, not played here: APIs made of raw AWS::ApiGateway::Method"),
        ("Resources: { A: { Type: AWS::Serverless::HttpApi } }", "there is no AWS::Serverless::Api to serve"),
        (
            "Resources: { A: { Type: AWS::Serverless::Api, Properties: { StageName: a, Auth: { ResourcePolicy: {} } } } }",
            "ResourcePolicy: valid on AWS, not played here",
        ),
        (
            "Resources: { A: { Type: AWS::Serverless::Api, Properties: { StageName: a, Policy: {} } } }",
            "A.Properties.Policy: valid on AWS, not played here: who may call would not be known",
        ),
        (
            "Resources: { A: { Type: AWS::Serverless::Api, Properties: { StageName: a, Chors: x } } }",
            "Chors: unknown property",
        ),
    ];
    for (text, expected) in rows {
        let error = service(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn what_is_added_to_the_api_outside_of_it_is_refused() {
    let text = |kind: &str, id: &str, condition: &str| {
        format!(
            "
Conditions: {{ Never: !Equals [a, b] }}
Resources:
  A: {{ Type: AWS::Serverless::Api, Properties: {{ StageName: a }} }}
  Other: {{ Type: AWS::ApiGateway::RestApi }}
  Raw: {{ Type: 'AWS::ApiGateway::{kind}', Properties: {{ RestApiId: {id} }}{condition} }}
"
        )
    };
    for kind in ["Authorizer", "GatewayResponse", "Method", "Resource"] {
        let error = service(&text(kind, "!Ref A", "")).unwrap_err().to_string();
        assert!(error.contains("Resources.Raw.Properties: valid on AWS, not played here"), "{kind}: {error}");
        for (id, condition) in [("!Ref Other", ""), ("abc", ""), ("!Ref A", ", Condition: Never")] {
            assert!(service(&text(kind, id, condition)).is_ok(), "{kind} {id}");
        }
        assert!(service(&text(kind, "!Ref A", ", Condition: Unknown")).is_err(), "{kind}");
    }
}

#[test]
fn a_resource_ignores_the_globals_that_it_names() {
    let text = |ignored: &str| {
        format!(
            "
Globals:
  Api: {{ Auth: {{ DefaultAuthorizer: Mine, Authorizers: {{ Mine: {{ FunctionArn: !GetAtt F.Arn }} }} }}, BinaryMediaTypes: [a/b] }}
Resources:
  A: {{ Type: AWS::Serverless::Api, IgnoreGlobals: {ignored}, Properties: {{ StageName: a }} }}
  F: {{ Type: AWS::Serverless::Function, Properties: {{ Events: {{ E: {{ Type: Api, Properties: {{ RestApiId: !Ref A, Path: /a, Method: get }} }} }} }} }}
"
        )
    };
    for (ignored, access, types) in
        [("[]", "Mine", 1), ("[BinaryMediaTypes]", "Mine", 0), ("[Auth]", "open", 1), ("'*'", "open", 0)]
    {
        let service = service(&text(ignored)).unwrap();
        assert_eq!(routes(&service), [format!("GET /a F {access}")], "{ignored}");
        assert_eq!(service.api.binary_media_types.len(), types, "{ignored}");
    }
    for ignored in ["[Auht]", "Auth", "true"] {
        let error = service(&text(ignored)).unwrap_err().to_string();
        assert!(error.contains("Resources.A.IgnoreGlobals: must be `*`, or a list"), "{ignored}: {error}");
    }
}

#[test]
fn a_native_jwt_authorizer_opens_nothing_however_it_is_written() {
    let sam = "
Resources:
  A:
    Type: AWS::Serverless::Api
    Properties:
      StageName: a
      Auth: { DefaultAuthorizer: J, Authorizers: { J: { JwtConfiguration: { issuers: [] } } } }
  F: { Type: AWS::Serverless::Function, Properties: { Events: { E: { Type: Api, Properties: { RestApiId: !Ref A, Path: /a, Method: get } } } } }
";
    let open_api = "
Resources:
  A:
    Type: AWS::Serverless::Api
    Properties:
      StageName: a
      DefinitionBody:
        openapi: 3.0.1
        components: { securitySchemes: { J: { type: oauth2, x-amazon-apigateway-authorizer: { type: jwt, jwtConfiguration: {} } } } }
        paths:
          /a:
            get:
              security: [{ J: [read] }]
              x-amazon-apigateway-integration: { type: aws_proxy, uri: !Sub 'arn:aws:apigateway:a:lambda:path/2015-03-31/functions/${F.Arn}/invocations' }
  F: { Type: AWS::Serverless::Function, Properties: {} }
";
    for text in [sam, open_api] {
        let service = service(text).unwrap();
        assert_eq!(routes(&service), ["GET /a F 500"]);
        let notices = notices(&service).concat();
        assert!(notices.contains("`GET /a`: API Gateway's own JWT authorizer: valid on AWS, not played here; it is answered 500"), "{notices}");
    }
}
