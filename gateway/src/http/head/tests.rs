//! Heads that are read, and many that are not.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Head::parse(&bytes);
    }

    #[test]
    fn near_requests_are_read_or_refused(text in "GET (/[a-z%/?]{0,5}|http://[a-z@/?]{0,5}) HTTP/1\\.[01]\r\n(Host|Content-Length|Transfer-Encoding|X)[ :]{1,2}(1|chunked|\r|\n| )?\r\n\r\n") {
        if let Ok(head) = Head::parse(text.as_bytes()) {
            prop_assert!(head.target.starts_with('/'), "{}", head.target);
        }
    }
}

#[tokio::test]
async fn a_head_is_the_same_in_whatever_pieces_it_comes() {
    let head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for sent in [format!("{head}behind"), format!("\r\n{head}")] {
        for size in 1..sent.len() {
            let mut source = tokio::io::BufReader::with_capacity(size, sent.as_bytes());
            assert_eq!(read(&mut source).await.unwrap(), head.as_bytes(), "{size}");
        }
    }
    let half = read(&mut &head.as_bytes()[..20]).await;
    assert!(matches!(half, Err(ReadError::Disconnected)), "{half:?}");
}

fn parse(text: &str) -> Result<Head, Refused> {
    Head::parse(text.as_bytes())
}

#[test]
fn shapes_that_two_readers_could_read_differently_are_refused() {
    let cases = [
        (
            "length and chunks",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        ),
        ("two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
        (
            "the same length twice",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        ),
        ("a list of lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n"),
        ("a signed length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n"),
        ("a negative length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"),
        ("a hexadecimal length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n"),
        ("an empty length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"),
        (
            "a length past 64 bits",
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
        ),
        (
            "chunks twice",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        ),
        ("chunks in a list", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
        ("another coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n"),
        ("nearly chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n"),
        (
            "a vertical tab before chunked",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \u{b}chunked\r\n\r\n",
        ),
        ("chunks in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("space before the colon", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 1\r\n\r\n"),
        ("space before a name", "POST / HTTP/1.1\r\nHost: a\r\n Content-Length: 1\r\n\r\n"),
        ("a folded line", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n"),
        ("a bare carriage return", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r2\r\n\r\n"),
        ("a null byte", "GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n"),
        ("no name", "GET / HTTP/1.1\r\nHost: a\r\n: 1\r\n\r\n"),
        ("no colon", "GET / HTTP/1.1\r\nHost: a\r\nAuthorization\r\n\r\n"),
        ("no host", "GET / HTTP/1.1\r\n\r\n"),
        ("two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
        ("two spaces in the request line", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("no version", "GET /\r\nHost: a\r\n\r\n"),
        ("an asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("an authority", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("a fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("a target outside ASCII", "GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("a user in an absolute target", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        ("another scheme", "GET file:///etc HTTP/1.1\r\nHost: a\r\n\r\n"),
    ];
    for (name, text) in cases {
        assert_eq!(parse(text).err(), Some(Refused::Malformed), "{name}");
    }
    let not_utf8 = Head::parse(b"GET / HTTP/1.1\r\nHost: a\r\nX: \xff\r\n\r\n");
    assert_eq!(not_utf8.err(), Some(Refused::Malformed), "a value outside UTF-8");
}

#[test]
fn other_refusals_say_why() {
    let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: 1\r\n".repeat(100));
    let cases = [
        ("101 headers", many.as_str(), Refused::HeadTooLarge),
        ("HTTP/2", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", Refused::Version),
        ("an unknown expectation", "GET / HTTP/1.1\r\nHost: a\r\nExpect: 200\r\n\r\n", Refused::Expectation),
    ];
    for (name, text, expected) in cases {
        assert_eq!(parse(text).err(), Some(expected), "{name}");
    }
}

#[test]
fn row_19_names_and_values_stay_as_sent() {
    let head = parse("GET /a?b=%20 HTTP/1.1\r\nHOST: a\r\nx_under-SCORE:  1 2\t\r\nx_under-SCORE: \r\n\r\n")
        .unwrap();
    let headers: Vec<_> = head.headers.iter().collect();
    assert_eq!(headers, [("HOST", "a"), ("x_under-SCORE", "1 2"), ("x_under-SCORE", "")]);
    assert_eq!((head.method.as_str(), head.target.as_str()), ("GET", "/a?b=%20"));
    assert_eq!((head.framing, head.keep_alive, head.expects_continue), (Framing::Length(0), true, false));
}

#[test]
fn framing_and_connection_are_read() {
    let head = |lines: &str| parse(&format!("POST / HTTP/1.1\r\nHost: a\r\n{lines}\r\n")).unwrap();
    assert_eq!(head("Content-Length: 007\r\n").framing, Framing::Length(7));
    assert_eq!(head("transfer-encoding: CHUNKED\r\n").framing, Framing::Chunked);
    assert!(!head("Connection: upgrade, Close\r\n").keep_alive);
    assert!(head("Connection: upgrade\r\nUpgrade: websocket\r\n").keep_alive, "an upgrade is ignored");
    assert!(head("Expect: 100-Continue\r\n").expects_continue);
    assert!(!parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").unwrap().keep_alive);
}

#[test]
fn an_absolute_target_is_cut_to_its_path() {
    let cases = [("http://a:1/x?y", "/x?y"), ("HTTP://a", "/"), ("https://a?y", "/?y"), ("/x://y", "/x://y")];
    for (target, expected) in cases {
        let head = parse(&format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")).unwrap();
        assert_eq!(head.target, expected, "{target}");
    }
}
