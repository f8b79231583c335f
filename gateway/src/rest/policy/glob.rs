//! The wildcards of IAM: `*` any run of characters, slashes and none included, `?` exactly one, all else itself.

/// What an action or a resource may be at most; a longer one makes the policy malformed.
// SPEC: Amazon API Gateway, "Output from an API Gateway Lambda authorizer"
const CHARACTERS: usize = 512;

/// One pattern of a policy.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Vec<Piece>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    Star,
    One,
    Literal(char),
}

impl Pattern {
    /// Reads a pattern, with policy variables in it or without.
    ///
    /// # Errors
    /// If it is longer than API Gateway takes.
    // SPEC: IAM policy elements, "Policy variables": `${*}`, `${?}` and `${$}` are those characters. A variable that
    // needs a request's own context has no value, and a pattern with it matches only itself.
    pub(super) fn parse(text: &str, has_variables: bool) -> Result<Self, &'static str> {
        if text.chars().count() > CHARACTERS {
            return Err("a pattern is over 512 characters");
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let escaped = ['*', '?', '$'].into_iter().filter(|_| has_variables).find_map(|escaped| {
                let behind = rest.strip_prefix("${")?.strip_prefix(escaped)?.strip_prefix('}')?;
                Some((escaped, behind))
            });
            let (piece, behind) = match (escaped, c) {
                (Some((escaped, behind)), _) => (Piece::Literal(escaped), Some(behind)),
                (None, '*') => (Piece::Star, rest.strip_prefix(c)),
                (None, '?') => (Piece::One, rest.strip_prefix(c)),
                (None, c) => (Piece::Literal(c), rest.strip_prefix(c)),
            };
            pieces.push(piece);
            rest = behind.unwrap_or_default();
        }
        Ok(Self(pieces))
    }

    /// Whether the pattern matches the whole of `text`. Takes at most the product of their lengths in steps, whatever
    /// the pattern: only the last star is ever tried again.
    pub(super) fn matches(&self, text: &str) -> bool {
        let (mut pattern, mut text) = (self.0.iter(), text.chars());
        // Behind the last star: the pattern's rest, and the text that the star has not taken.
        let mut star = None;
        loop {
            let (mut next_pattern, mut next_text) = (pattern.clone(), text.clone());
            match (next_pattern.next(), next_text.next()) {
                (Some(Piece::Star), _) => {
                    star = Some((next_pattern.clone(), text.clone()));
                    pattern = next_pattern;
                    continue;
                }
                (None, None) => return true,
                (Some(Piece::One), Some(_)) => {
                    (pattern, text) = (next_pattern, next_text);
                    continue;
                }
                (Some(Piece::Literal(expected)), Some(c)) if *expected == c => {
                    (pattern, text) = (next_pattern, next_text);
                    continue;
                }
                (Some(_) | None, Some(_) | None) => {}
            }
            let Some((behind_star, untaken)) = &mut star else { return false };
            if untaken.next().is_none() {
                return false;
            }
            (pattern, text) = (behind_star.clone(), untaken.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        Pattern::parse(pattern, true).unwrap().matches(text)
    }

    #[test]
    fn row_7_a_pattern_is_anchored_and_its_only_wildcards_are_star_and_question_mark() {
        let cases = [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "a/b/c", true),
            ("**", "a", true),
            ("?", "", false),
            ("?", "é", true),
            ("?", "ab", false),
            ("a*", "a", true),
            ("a*c", "abbc/c", true),
            ("a*c", "abbcd", false),
            ("a*b*c", "axbxbxc", true),
            ("prod/*", "preprod/x", false),
            ("*/prod/", "x/prod/y", false),
            ("a.c", "abc", false),
            ("a.c", "a.c", true),
            ("[ab]", "a", false),
            ("(a|b)", "a", false),
            ("^a$", "a", false),
            ("a+", "aa", false),
            ("\\*", "*", false),
            ("\\*", "\\anything", true),
            ("${aws:x}", "${aws:x}", true),
            ("${aws:x}", "anything", false),
            ("a${*}", "a*", true),
            ("a${*}", "ab", false),
            ("${?}", "?", true),
            ("${?}", "a", false),
            ("${$}{*}", "${x}", true),
            ("${$}{*}", "$x", false),
            ("${*", "${", true),
            ("${a", "${a", true),
            ("A", "a", false),
            ("*a", "aaaab", false),
            ("*?", "", false),
            ("*?*", "x", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_hostile_pattern_takes_no_longer_than_the_product_of_the_lengths() {
        let pattern = format!("{}b", "*a".repeat(255));
        assert!(!matches(&pattern, &"a".repeat(1600)));
    }

    fn naive(pattern: &[char], text: &[char]) -> bool {
        match pattern {
            [] => text.is_empty(),
            ['*', rest @ ..] => (0..=text.len()).any(|taken| naive(rest, &text[taken..])),
            ['?', rest @ ..] => !text.is_empty() && naive(rest, &text[1..]),
            [c, rest @ ..] => text.first() == Some(c) && naive(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(pattern in "[ab/*?]{0,8}", text in "[ab/]{0,10}") {
            let (p, t): (Vec<_>, Vec<_>) = (pattern.chars().collect(), text.chars().collect());
            prop_assert_eq!(matches(&pattern, &text), naive(&p, &t));
        }

        #[test]
        fn without_wildcards_it_is_equality(a in "[^*?$]{0,8}", b in "[^*?$]{0,8}") {
            prop_assert!(matches(&a, &a));
            prop_assert_eq!(matches(&a, &b), a == b);
        }
    }
}
