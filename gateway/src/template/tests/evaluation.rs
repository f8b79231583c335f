//! Intrinsic functions, conditions, parameters and their limits, each seen in one text of a small template.

use std::fmt::Write;

use super::{Facts, read_with};

/// What `value` comes to in a template that also has `sections`, or the message after file, line and path.
fn evaluate(sections: &str, value: &str, parameters: &[(&str, &str)]) -> String {
    let mut text = format!("Transform: AWS::Serverless-2016-10-31\n{sections}\n");
    writeln!(text, "{RESOURCES}          VALUE: {value}").unwrap();
    let mut facts = Facts::default();
    for (name, value) in parameters {
        facts.parameters.insert((*name).to_owned(), (*value).to_owned());
    }
    match read_with(&text, facts) {
        Ok(stack) => match stack.functions["Worker"].environment.get("VALUE") {
            Some(value) => value.clone(),
            None => "(none)".to_owned(),
        },
        Err(error) => format!("({})", error.problem),
    }
}

const RESOURCES: &str = r"
Resources:
  Api: { Type: AWS::Serverless::Api, Properties: { StageName: dev } }
  Pool: { Type: AWS::Cognito::UserPool }
  Items: { Type: AWS::DynamoDB::Table, Properties: { AttributeDefinitions: [{ AttributeName: pk, AttributeType: S }], KeySchema: [{ AttributeName: pk, KeyType: HASH }], TableName: !Sub '${AWS::StackName}-items' } }
  Worker:
    Type: AWS::Serverless::Function
    Metadata: { BuildMethod: rust-cargolambda, BuildProperties: { Binary: worker } }
    Properties:
      AutoPublishAlias: live
      Environment:
        Variables:
";

const SECTIONS: &str = r#"
Parameters:
  Name: { Type: String, Default: shop }
  Names: { Type: CommaDelimitedList, Default: "a, b,c" }
  Count: { Type: Number, Default: "2" }
Mappings:
  Sizes:
    eu: { small: "1", list: [x, y] }
Conditions:
  Shop: !Equals [!Ref Name, shop]
  Other: { "Fn::Not": [{ Condition: Shop }] }
  Both: !And [!Condition Shop, !Not [!Condition Other]]
  Either: !Or [!Condition Other, !Equals [a, b], !Condition Shop]
  Round: !Not [!Condition About]
  About: !Condition Round
  Wrong: !Equals [a]
"#;

#[test]
fn intrinsic_functions_give_what_cloudformation_gives() {
    let cases = [
        ("plain", "plain"),
        ("12.50", "12.50"),
        ("!Ref Name", "shop"),
        ("{ Ref: Name }", "shop"),
        (r#"{ "Fn::Sub": "${Name}" }"#, "shop"),
        (
            "!Sub '${Name}-${AWS::Region}-${Api}-$x-${!Name}-${Items}'",
            "shop-us-east-1-localapi01-$x-${Name}-local-items",
        ),
        ("!Sub ['${A}${Name}', { A: !Ref Count, Name: x }]", "2x"),
        ("!Sub '${AWS::Partition} ${AWS::AccountId} ${AWS::URLSuffix}'", "aws 123456789012 amazonaws.com"),
        ("!Ref Pool", "us-east-1_Local0001"),
        ("!GetAtt Pool.ProviderURL", "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Local0001"),
        ("!GetAtt Items.Arn", "arn:aws:dynamodb:us-east-1:123456789012:table/local-items"),
        ("!GetAtt [Worker, Arn]", "arn:aws:lambda:us-east-1:123456789012:function:Worker"),
        ("!Ref Worker.Alias", "arn:aws:lambda:us-east-1:123456789012:function:Worker:live"),
        ("!Ref Api.Stage", "dev"),
        ("!Join ['-', [a, !Ref Name, !Ref AWS::NoValue, b]]", "a-shop-b"),
        ("!Join [',', !Ref Names]", "a,b,c"),
        ("!Join [':', !Split ['/', a/b/c]]", "a:b:c"),
        ("!Select [1, !Split ['/', a/b/c]]", "b"),
        ("!Select [!Ref Count, !Ref Names]", "c"),
        ("!FindInMap [Sizes, eu, small]", "1"),
        ("!Select [0, !FindInMap [Sizes, eu, list]]", "x"),
        ("!If [Shop, yes, !ImportValue no]", "yes"),
        ("!If [Other, yes, !If [Both, inner, no]]", "inner"),
        ("!If [Either, yes, no]", "yes"),
        ("!If [Other, yes, !Ref AWS::NoValue]", "(none)"),
    ];
    for (value, expected) in cases {
        assert_eq!(evaluate(SECTIONS, value, &[]), expected, "{value}");
    }
}

#[test]
fn what_has_no_value_says_why() {
    let cases = [
        ("!Ref Nothing", "(the template has no parameter or resource called `Nothing`)"),
        ("!Ref [Name]", "(Ref takes a name)"),
        ("!Ref Names", "(must be a string)"),
        ("!GetAtt Pool", "(Fn::GetAtt takes a logical id and an attribute)"),
        ("!GetAtt Pool.Color", "(the value of `Pool.Color` is known only after a deployment)"),
        ("!Sub '${Name'", "(Fn::Sub takes a string, or a string and a mapping of strings)"),
        ("!Sub '${AWS::NoValue}'", "(must be a string)"),
        ("!Sub '${Names}'", "(must be a string)"),
        ("!Join [a]", "(Fn::Join takes a delimiter and a list of strings)"),
        ("!Select [3, !Ref Names]", "(Fn::Select takes an index and a list that has it)"),
        ("!Select [-1, !Ref Names]", "(Fn::Select takes an index and a list that has it)"),
        ("!Split ['', abc]", "(Fn::Split takes a delimiter and a string)"),
        (
            "!FindInMap [Sizes, us, small]",
            "(Fn::FindInMap takes the name of a mapping and two keys that it has)",
        ),
        ("!If [Shop, yes]", "(Fn::If takes a condition's name and two values)"),
        ("!If [Nobody, yes, no]", "(the template has no condition called `Nobody`)"),
        ("!If [Wrong, yes, no]", "(Fn::Equals takes two strings)"),
        ("!If [Round, yes, no]", "(the value of `Round` depends on itself)"),
        ("!Base64 x", "(valid on AWS, not played here: an intrinsic function that is not evaluated)"),
        ("!Bsae64 x", "(`Fn::Bsae64` is not an intrinsic function)"),
        ("!Condition Shop", "(`Condition` is not an intrinsic function)"),
        ("!Ref \"a\\nb\"", "(the template has no parameter or resource called `a\\nb`)"),
    ];
    for (value, expected) in cases {
        assert_eq!(evaluate(SECTIONS, value, &[]), expected, "{value}");
    }
}

#[test]
fn given_parameters_replace_defaults_and_are_checked() {
    let cases = [
        ("Name", "other", "other a,b,c 2"),
        ("Names", "x,y", "shop x,y 2"),
        ("Count", "7", "shop a,b,c 7"),
        ("Count", "seven", "(the value of this parameter is not a number)"),
        ("Color", "red", "(the template has no parameter called `Color`)"),
    ];
    for (name, given, expected) in cases {
        let value = "!Join [' ', [!Ref Name, !Join [',', !Ref Names], !Ref Count]]";
        assert_eq!(evaluate(SECTIONS, value, &[(name, given)]), expected, "{name}");
    }
}

#[test]
fn names_that_lead_back_to_themselves_are_refused() {
    let text = r"
Transform: AWS::Serverless-2016-10-31
Resources:
  Api: { Type: AWS::Serverless::Api, Properties: { StageName: !Ref First } }
  First: { Type: AWS::DynamoDB::Table, Properties: { TableName: !Ref Second } }
  Second: { Type: AWS::DynamoDB::Table, Properties: { TableName: !Sub 'x${First}' } }
";
    let refusal = read_with(text, Facts::default()).unwrap_err().to_string();

    assert_eq!(
        refusal,
        "template.yaml:4: Resources.Api.Properties.StageName: the value of `First` depends on itself"
    );
}

#[test]
fn evaluation_ends_where_names_double_at_each_step() {
    let mut conditions = "Conditions:\n  C0: !Equals [a, a]\n".to_owned();
    for i in 1..64 {
        writeln!(conditions, "  C{i}: !And [!Condition C{0}, !Condition C{0}]", i - 1).unwrap();
    }

    assert_eq!(evaluate(&conditions, "!If [C63, yes, no]", &[]), "(too large to evaluate)");
    assert_eq!(evaluate(&conditions, "!If [C9, yes, no]", &[]), "yes");
}
