//! Whatever the text, the reader comes to an end with a stack or with one line.

use std::fmt::Write;

use proptest::prelude::*;

use super::{Facts, TEMPLATE, Template, read};

/// Pieces that YAML and CloudFormation give a meaning to.
fn piece() -> impl Strategy<Value = String> {
    let words: Vec<&'static str> = vec![
        "\n",
        "\n  ",
        "\n    ",
        "\n      ",
        ": ",
        "- ",
        "? ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "'",
        "\"",
        "| \n",
        "> \n",
        "#",
        "---\n",
        "...\n",
        "%TAG ! tag:x\n",
        "&a ",
        "*a",
        "<<: ",
        "!Ref ",
        "!Sub ",
        "!GetAtt ",
        "!If ",
        "!Join ",
        "!!str ",
        "!Select ",
        "Fn::Sub",
        "Ref",
        "${",
        "${Api}",
        "AWS::NoValue",
        "Resources",
        "Type",
        "Properties",
        "Condition",
        "AWS::Serverless::Api",
        "AWS::Serverless::Function",
        "Auth",
        "Events",
        "Transform",
        "Globals",
        "IgnoreGlobals: ",
        "Fn::ForEach::A",
        "DefinitionBody",
        "paths",
        "security",
        "x-amazon-apigateway-integration",
        "\t",
        "\u{feff}",
        "\0",
        "é",
    ];
    prop_oneof![8 => prop::sample::select(words).prop_map(str::to_owned), 1 => "[ -~]{0,6}"]
}

/// Reads the text as a whole system and as an API alone; a refusal has to be one line.
fn read_or_refuse(text: &str) -> Result<(), TestCaseError> {
    let service =
        Template::parse("template.yaml", text).and_then(|read| read.service(&Facts::default(), None));
    for refusal in [read(text).err(), service.err()].into_iter().flatten() {
        let line = refusal.to_string();
        prop_assert!(!line.contains('\n'), "{line}");
        prop_assert!(!line.contains("hush"), "{line}");
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(pieces in prop::collection::vec(piece(), 0..60)) {
        read_or_refuse(&pieces.concat())?;
    }

    #[test]
    fn a_template_with_a_part_changed_is_read_or_refused(
        at in 0..TEMPLATE.len(),
        length in 0_usize..40,
        instead in prop::collection::vec(piece(), 0..4),
    ) {
        // The template is ASCII, so every index is between two characters.
        let before = TEMPLATE.get(..at).unwrap_or_default();
        let after = TEMPLATE.get(at + length..).unwrap_or_default();
        read_or_refuse(&format!("{before}{}{after}", instead.concat()))?;
    }
}

#[test]
fn no_refusal_shows_a_secret() {
    let secret = "!GetAtt ShopClient.ClientSecret";
    let values = [
        format!("!FindInMap [{secret}, a, b]"),
        format!("!Select [{secret}, [a]]"),
        format!("!GetAtt [ShopClient, {secret}]"),
        format!("!GetAtt [{secret}, Arn]"),
        format!("!Ref {{ Ref: {secret} }}"),
        format!("!Sub ['${{A}}', {{ A: [{secret}] }}]"),
        format!("!Join [{secret}, [a]]"),
        format!("!Split ['', {secret}]"),
        format!("!If [{secret}, a, b]"),
        format!("!Sub ['{{{{resolve:${{A}}}}}}', {{ A: {secret} }}]"),
        format!("[{secret}]"),
    ];
    for value in values {
        let text =
            TEMPLATE.replace("SecretString: !Sub", &format!("SecretString: {value}\n      Other: !Sub"));
        let refusal = read(&text).map(|_| ()).unwrap_err();
        assert!(refusal.to_string().contains("SecretString"), "{value}: {refusal}");
        assert!(!refusal.to_string().contains("hush"), "{value}: {refusal}");
        assert!(!format!("{refusal:?}").contains("hush"), "{value}: {refusal}");
    }
}

#[test]
fn hostile_sizes_and_depths_are_refused() {
    let cases = [
        ("a list in a list", "[".repeat(100), "nested more than 64 levels deep"),
        ("a list in a list without end", "[".repeat(500_000), "not valid YAML: recursion limit exceeded"),
        ("a mapping in a mapping", "{a: ".repeat(100), "nested more than 64 levels deep"),
        ("nothing but sequences", "- ".repeat(500_000), "nested more than 64 levels deep"),
        ("too long", " ".repeat(1_048_577), "longer than 1048576 bytes, the most that CloudFormation takes"),
        ("empty", String::new(), "must be a mapping"),
        ("a text", "text".to_owned(), "must be a mapping"),
    ];
    for (name, text, problem) in cases {
        assert_eq!(read(&text).unwrap_err().problem.to_string(), problem, "{name}");
    }
}

#[test]
fn names_within_names_do_not_use_up_the_stack() {
    let (open, close) = ("!Join ['', [".repeat(20), "]]".repeat(20));
    let mut text = "Transform: AWS::Serverless-2016-10-31\nResources:\n".to_owned();
    text.push_str("  Api: { Type: AWS::Serverless::Api, Properties: { StageName: !Ref T0 } }\n");
    for i in 0..400 {
        let name = format!("{open}!Ref T{}{close}", i + 1);
        writeln!(text, "  T{i}: {{ Type: AWS::DynamoDB::Table, Properties: {{ TableName: {name} }} }}")
            .unwrap();
    }

    assert_eq!(read(&text).unwrap_err().problem.to_string(), "too large to evaluate");
}
