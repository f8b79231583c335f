//! Who may use the console: this machine's browser from the console's own page, and programs that are not browsers.

use gateway::http::Request;

/// Whether a request is addressed to this port by a name of loopback, and no page from elsewhere sent it. The first
/// stops names that were bound to 127.0.0.1 behind a browser's back, the second every other site.
// SPEC: Fetch Metadata Request Headers section 2.4; Fetch section 3.2
pub(super) fn is_own(request: &Request, port: u16) -> bool {
    let hosts = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
    let only = |name| {
        let mut values = request.headers.all(name);
        (values.next(), values.next().is_some())
    };
    let (Some(host), false) = only("Host") else { return false };
    let site = match only("Sec-Fetch-Site") {
        (None | Some("same-origin" | "none"), false) => true,
        (Some(_) | None, _) => false,
    };
    let origin = match only("Origin") {
        (None, _) => true,
        (Some(origin), several) => !several && origin.strip_prefix("http://") == Some(host),
    };
    hosts.iter().any(|own| own == host) && site && origin
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway::http::Headers;

    #[test]
    fn only_this_machines_own_page_may_ask() {
        type Case = (&'static str, &'static [(&'static str, &'static str)], bool);
        const IP: (&str, &str) = ("Host", "127.0.0.1:3000");
        const NAME: (&str, &str) = ("Host", "localhost:3000");
        let cases: &[Case] = &[
            ("a program", &[IP], true),
            ("typed", &[NAME, ("Sec-Fetch-Site", "none")], true),
            ("the page", &[IP, ("Sec-Fetch-Site", "same-origin"), ("Origin", "http://127.0.0.1:3000")], true),
            ("no host", &[], false),
            ("two hosts", &[IP, NAME], false),
            ("a rebound name", &[("Host", "evil.example:3000")], false),
            ("another port", &[("Host", "127.0.0.1:3001")], false),
            ("another site", &[IP, ("Sec-Fetch-Site", "cross-site")], false),
            ("another port's page", &[IP, ("Sec-Fetch-Site", "same-site")], false),
            ("another origin", &[IP, ("Origin", "http://127.0.0.1:3001")], false),
            ("the other name's origin", &[IP, ("Origin", "http://localhost:3000")], false),
            ("no origin to speak of", &[IP, ("Origin", "null")], false),
            ("TLS", &[IP, ("Origin", "https://127.0.0.1:3000")], false),
        ];
        for (case, given, expected) in cases {
            let mut headers = Headers::default();
            for (name, value) in *given {
                headers.push(name, value);
            }
            let peer = ([127, 0, 0, 1], 1).into();
            let request =
                Request { method: "GET".into(), target: "/_local/".into(), headers, body: Vec::new(), peer };
            assert_eq!(is_own(&request, 3000), *expected, "{case}");
        }
    }
}
