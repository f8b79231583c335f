//! Regular expressions that AWS runs as Java does: compiled with the `regex` crate so that they mean the same,
//! and refused where that cannot be.

use regex::Regex;

use super::error::Problem;

/// Compiles `pattern` so that it must match the whole string.
// SPEC: Amazon API Gateway, "Configure a Lambda authorizer": the expression is matched against the whole token
pub(super) fn whole_text(pattern: &str) -> Result<Regex, Problem> {
    let pattern = translate(pattern).map_err(|reason| Problem::Pattern(reason.to_owned()))?;
    // By itself first: an unbalanced bracket must not pair up with the ones around it.
    Regex::new(&pattern).and_then(|_| Regex::new(&format!(r"\A(?:{pattern})\z"))).map_err(|error| {
        // Only the last line says what is wrong; those before show the pattern.
        let text = error.to_string();
        let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
        Problem::Pattern(reason.to_owned())
    })
}

/// The pattern in the `regex` crate's dialect, where Java reads the same characters in another way.
// SPEC: Java, `java.util.regex.Pattern`
fn translate(pattern: &str) -> Result<String, &'static str> {
    let (mut result, mut class_depth, mut previous) = (String::new(), 0_u32, ' ');
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match (class_depth > 0, previous, c) {
            (false, '*' | '+' | '?' | '}', '+') => return Err("possessive quantifiers are not supported"),
            (true, '-', '-') | (true, '~', '~') => return Err("`--` and `~~` in a class are not supported"),
            _ => {}
        }
        // An escaped character counts as a letter.
        previous = if c == '\\' { 'a' } else { c };
        match c {
            '\\' => match rest.next() {
                Some('v') => return Err("`\\v` is not supported"),
                // Java's classes are ASCII.
                Some('d') => result.push_str("[0-9]"),
                Some('D') => result.push_str("[^0-9]"),
                Some('w') => result.push_str("[0-9A-Za-z_]"),
                Some('W') => result.push_str("[^0-9A-Za-z_]"),
                Some('s') => result.push_str(r"[ \t\n\x0B\x0C\r]"),
                Some('S') => result.push_str(r"[^ \t\n\x0B\x0C\r]"),
                // Any other character that is escaped without need stands for itself.
                Some(escaped @ ('<' | '>')) => result.push(escaped),
                Some(escaped) => result.extend(['\\', escaped]),
                None => return Err("it ends with a backslash"),
            },
            '[' => {
                class_depth += 1;
                result.push(c);
            }
            ']' => {
                class_depth = class_depth.saturating_sub(1);
                result.push(c);
            }
            _ => result.push(c),
        }
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_java() {
        let cases = [
            ("^a$", "a", true),
            ("a", "ab", false),
            ("a|b", "ab", false),
            ("a|ab", "ab", true),
            ("(?i)bearer .+", "BEARER x", true),
            (r"\d+", "12", true),
            (r"\d+", "\u{663}", false),
            (r"[\w-]+", "a-b_9", true),
            (r"[\w]", "é", false),
            (r"[^\s,]+", "a,b", false),
            (r"[^\s,]+", "ab", true),
            (r"\S\W\D", "a-b", true),
            (r"\<a\>", "<a>", true),
            ("(?m)^a$", "a\nb", false),
            (r"a\++", "a++", true),
            ("[+]+", "++", true),
        ];
        for (pattern, text, matches) in cases {
            assert_eq!(whole_text(pattern).unwrap().is_match(text), matches, "{pattern} on {text}");
        }
    }

    #[test]
    fn patterns_that_would_mean_something_else_are_refused() {
        let cases = [
            ("a(?=b)", "look-around, including look-ahead and look-behind, is not supported"),
            (r"(a)\1", "backreferences are not supported"),
            ("a++", "possessive quantifiers are not supported"),
            ("a{2}+", "possessive quantifiers are not supported"),
            ("[a--b]", "`--` and `~~` in a class are not supported"),
            (r"\v", r"`\v` is not supported"),
            (r"\Qa\E", "unrecognized escape sequence"),
            ("a)|(?:b", "unopened group"),
            ("(?x) a # b", "unclosed group"),
            ("a\\", "it ends with a backslash"),
        ];
        for (pattern, reason) in cases {
            assert_eq!(whole_text(pattern).unwrap_err(), Problem::Pattern(reason.to_owned()), "{pattern}");
        }
    }
}
