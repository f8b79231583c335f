//! Finds the name that was meant when one is mistyped.

/// `; did you mean …?` with the name most like `typed`, or nothing if none has more than half of its characters.
pub fn did_you_mean<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let typed = typed.to_lowercase();
    let likeness = |name: &str| strsim::normalized_damerau_levenshtein(&typed, &name.to_lowercase());
    let close = names.into_iter().map(|name| (likeness(name), name)).filter(|(likeness, _)| *likeness > 0.5);
    let best = close.max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.map(|(_, name)| format!("; did you mean `{name}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_nonsense_finds_none() {
        let names = ["order-service", "payment", "report", "storefront"];
        let cases = [
            ("reprot", "report"),
            ("Payments", "payment"),
            ("storefrnt", "storefront"),
            ("orderservice", "order-service"),
            ("Storefront", "storefront"),
            ("store", ""),
            ("xyz", ""),
            ("", ""),
        ];
        for (typed, expected) in cases {
            let question = did_you_mean(typed, names);
            let name = question.strip_prefix("; did you mean `").and_then(|rest| rest.strip_suffix("`?"));
            assert_eq!(name.unwrap_or_default(), expected, "{typed}: {question}");
        }
    }
}
