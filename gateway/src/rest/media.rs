//! Which media types travel as base64.

/// Whether `media_type`, as a `Content-Type` or the first of an `Accept` names it, is one of `binary`.
/// `*/*` among those stands for all; parameters and casing do not count.
pub(super) fn is_binary(media_type: Option<&str>, binary: &[String]) -> bool {
    let named = media_type.and_then(|text| text.split([',', ';']).next()).map_or("", str::trim);
    binary.iter().any(|kind| kind == "*/*" || (!named.is_empty() && kind.eq_ignore_ascii_case(named)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_24_media_types_are_compared_without_parameters_and_case() {
        let png = ["image/png".to_owned()];
        let all = ["*/*".to_owned()];
        let cases: [(Option<&str>, &[String], bool); 10] = [
            (Some("image/png"), &png, true),
            (Some("IMAGE/PNG ; q=1"), &png, true),
            (Some("image/png, text/html"), &png, true),
            (Some("text/html, image/png"), &png, false),
            (Some("image/jpeg"), &png, false),
            (Some("*/*"), &png, false),
            (None, &png, false),
            (None, &all, true),
            (Some("text/html"), &all, true),
            (Some("image/png"), &[], false),
        ];
        for (media_type, binary, expected) in cases {
            assert_eq!(is_binary(media_type, binary), expected, "{media_type:?} {binary:?}");
        }
    }
}
