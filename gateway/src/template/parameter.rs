//! Parameters: their declarations, the values given for them and the checks that CloudFormation would make.

use std::collections::BTreeMap;

use super::{
    error::{Located, Problem},
    facts::Facts,
    node::Node,
    pattern,
    value::{Content, Field, Value},
};

/// Parameters by name: the value of each, or why there is none.
pub(super) type Parameters = BTreeMap<String, Value>;

/// Reads the section `Parameters` and what was given for it. `evaluate` turns a node of it into a value.
pub(super) fn read(
    section: Option<&Node>,
    facts: &Facts,
    evaluate: impl Fn(&Node) -> Value,
) -> Result<Parameters, Located> {
    let mut parameters = Parameters::new();
    if let Some(section) = section {
        let section = evaluate(section);
        for (name, declaration) in Field::root("Parameters", &section).entries()? {
            let value = one(name, &declaration, facts.parameters.get(name))?;
            parameters.insert(name.to_owned(), value);
        }
    }
    if let Some(name) = facts.parameters.keys().find(|name| !parameters.contains_key(*name)) {
        let problem = Problem::Unknown("parameter", name.clone());
        return Err(Located { line: None, path: "Parameters".to_owned(), problem });
    }
    Ok(parameters)
}

/// What a declaration can have.
const KNOWN: &[&str] = &[
    "Type",
    "Default",
    "Description",
    "NoEcho",
    "ConstraintDescription",
    "AllowedValues",
    "AllowedPattern",
    "MinValue",
    "MaxValue",
    "MinLength",
    "MaxLength",
];

fn one(name: &str, declaration: &Field<'_>, given: Option<&String>) -> Result<Value, Located> {
    declaration.only(&[KNOWN])?;
    let kind = declaration.need("Type")?;
    let is_list = match kind.text()? {
        "String" | "Number" => false,
        "CommaDelimitedList" | "List<Number>" => true,
        // Not an error in itself, as below.
        text if text.starts_with("AWS::SSM::Parameter::Value<") => {
            let reason = "the Parameter Store cannot be read without an AWS account";
            return Ok(declaration.value_of(Content::Fault(Problem::NotHonoured(reason))));
        }
        text => text.starts_with("List<"),
    };
    let default = declaration.get("Default")?;
    let text = match (given, &default) {
        (Some(text), _) => text.as_str(),
        (None, Some(default)) => default.text()?,
        // Not an error in itself: a parameter that only alarms use needs no value here.
        (None, None) => return Ok(declaration.value_of(Content::Fault(Problem::NoValue(name.to_owned())))),
    };
    let is_number = matches!(kind.text()?, "Number" | "List<Number>");
    let parts: Vec<&str> = if is_list { text.split(',').map(str::trim).collect() } else { vec![text] };
    for part in &parts {
        check(declaration, part, is_number)?;
    }
    let texts = parts.into_iter().map(|part| Content::Text(part.to_owned()));
    let mut values = texts.map(|content| declaration.value_of(content));
    Ok(match (is_list, values.next()) {
        (false, Some(value)) => value,
        (_, first) => declaration.value_of(Content::List(first.into_iter().chain(values).collect())),
    })
}

/// Holds one value against its declaration. What is wrong is said without the value: it may be a secret.
fn check(declaration: &Field<'_>, text: &str, is_number: bool) -> Result<(), Located> {
    let wrong = |what| Err(declaration.failure(Problem::ParameterValue(what)));
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    if is_number && number.is_none() {
        return wrong("is not a number");
    }
    if let Some(allowed) = declaration.get("AllowedValues")?
        && !allowed.texts()?.iter().any(|value| value == text)
    {
        return wrong("is none of its AllowedValues");
    }
    if let Some(field) = declaration.get("AllowedPattern")? {
        let allowed = pattern::whole_text(field.text()?).map_err(|problem| field.failure(problem))?;
        if !allowed.is_match(text) {
            return wrong("does not match its AllowedPattern");
        }
    }
    let length = u32::try_from(text.chars().count()).map_or(f64::INFINITY, f64::from);
    for (name, value, sign, what) in [
        ("MinValue", number, -1.0, "is less than its MinValue"),
        ("MaxValue", number, 1.0, "is more than its MaxValue"),
        ("MinLength", Some(length), -1.0, "is shorter than its MinLength"),
        ("MaxLength", Some(length), 1.0, "is longer than its MaxLength"),
    ] {
        if let (Some(bound), Some(value)) = (declaration.get(name)?, value)
            && (value - bound.number()?) * sign > 0.0
        {
            return wrong(what);
        }
    }
    Ok(())
}
