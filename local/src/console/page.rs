//! The page: its parts joined into the one document that is served, and the policy that lets nothing else run.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use gateway::http::{Headers, Response};

/// The parts of the script, in the order in which they run; a macro, since only literals can be put together into one.
macro_rules! script {
    () => {
        concat!(
            include_str!("page/base.js"),
            include_str!("page/stack.js"),
            include_str!("page/token.js"),
            include_str!("page/request.js"),
            include_str!("page/scenarios.js"),
            include_str!("page/decisions.js"),
        )
    };
}

const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = script!();
const PAGE: &str = concat!(
    include_str!("page/head.html"),
    "<style>",
    include_str!("page/page.css"),
    "</style>\n",
    include_str!("page/body.html"),
    "<script>",
    script!(),
    "</script>\n</body>\n</html>\n",
);

/// The page, with a policy under which its own script and style run, nothing from elsewhere is loaded or framed, and no
/// text ever becomes markup.
// SPEC: Content Security Policy Level 3 section 6.7.3.3; Trusted Types section 4.4
pub(super) fn page() -> Response {
    let policy = format!(
        "default-src 'none'; script-src {}; style-src {}; connect-src 'self'; img-src data:; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
        hash(SCRIPT),
        hash(STYLE),
    );
    let mut headers = Headers::default();
    headers.push("Content-Type", "text/html; charset=utf-8");
    headers.push("Content-Security-Policy", &policy);
    headers.push("Cross-Origin-Opener-Policy", "same-origin");
    Response { status: 200, headers, body: PAGE.into() }
}

fn hash(text: &str) -> String {
    format!("'sha256-{}'", BASE64_STANDARD.encode(digest(&SHA256, text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_runs_its_own_script_and_style_and_nothing_else() {
        for (element, text) in [("script", SCRIPT), ("style", STYLE)] {
            assert_eq!(PAGE.matches(&format!("<{element}")).count(), 1, "{element}");
            assert!(PAGE.contains(&format!("<{element}>{text}</{element}>")), "{element}");
            assert!(!text.contains(&format!("</{element}")), "{element} ends where it should");
        }
        for outside in ["http://", "https://", " src=", " style=", " onclick=", "innerHTML", "eval("] {
            assert!(!PAGE.contains(outside), "{outside}");
        }
        let response = page();
        let policy = response.headers.first("Content-Security-Policy").unwrap();
        for part in ["default-src 'none';", "frame-ancestors 'none';", "trusted-types 'none'", &hash(SCRIPT)]
        {
            assert!(policy.contains(part), "{part} in {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
    }
}
