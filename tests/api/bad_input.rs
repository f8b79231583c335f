//! Invalid bodies, ids and cursors: each is a 4xx JSON error that names the field, and nothing is written.

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Answer, System};

/// Bodies that no route accepts, each with its name.
fn unreadable() -> Vec<(&'static str, String)> {
    vec![
        ("empty", String::new()),
        ("malformed", "{".into()),
        ("NaN", r#"{"lines":NaN}"#.into()),
        ("a list", "[]".into()),
        ("a string", r#""text""#.into()),
        ("null", "null".into()),
        ("two values", "{}{}".into()),
        ("deep nesting", format!("{}{}", "[".repeat(10_000), "]".repeat(10_000))),
        ("deep nesting in a member", format!(r#"{{"lines":{}{}}}"#, "[".repeat(10_000), "]".repeat(10_000))),
        ("10,000 lines", "\n".repeat(10_000)),
    ]
}

/// A valid body with `@` in place of one value, and the field that the error must name.
const MEMBERS: &[(&str, &str, &str, &str)] = &[
    ("POST", "/inventory", r#"{"reference":"bad","lines":[{"sku":"A-1","change":@}]}"#, "lines[0].change"),
    ("POST", "/orders", r#"{"lines":[{"sku":"A-1","quantity":@}]}"#, "lines[0].quantity"),
    ("POST", "/payments", r#"{"order_id":"0190a5e0-0000-7000-8000-000000000001","amount":@}"#, "amount"),
    ("PATCH", "/orders/0190a5e0-0000-7000-8000-000000000001", r#"{"status":@}"#, "status"),
    ("POST", "/reports", r#"{"date":@}"#, "date"),
];
const SPOILT: &[&str] =
    &["null", "true", "1.5", "1e3", "1e400", "9223372036854775808", "[]", "{}", r#""2026-02-30""#];

#[tokio::test]
async fn no_bad_body_is_more_than_a_4xx_that_names_its_field() {
    let system = System::start().await;
    // Only a made-up token holds the scopes of every route.
    let mut claims = system.claims();
    claims["scope"] = format!("{} orders/status", claims["scope"].as_str().unwrap()).into();
    let token = system.mint(&claims);
    let stock = json!({ "reference": "po-1", "lines": [{ "sku": "A-1", "change": 7, "unit_price": 100 }] });
    assert_eq!(system.send(Method::POST, "/inventory", &token, &stock).await.status, 200);

    for (method, path, body, field) in MEMBERS {
        let send = |body: String, content_type: &'static str| {
            let request = system.request(method.parse().unwrap(), path).bearer_auth(&token);
            let request = request.header("idempotency-key", "bad").header("content-type", content_type);
            Answer::to(request.body(body))
        };
        for (name, body) in unreadable() {
            refused(&send(body, "application/json").await, None, &format!("{method} {path}: {name}"));
        }
        // A total may be 0, and so may its payment; a quantity may not. Only stock changes may be negative.
        let zero = field.starts_with("lines").then_some(&"0");
        let negative = (*field != "lines[0].change").then_some(&"-1");
        for value in SPOILT.iter().chain(zero).chain(negative) {
            let answer = send(body.replace('@', value), "application/json").await;
            refused(&answer, Some(field), &format!("{method} {path}: {field} {value}"));
        }
        let good = body.replace('@', "1");
        let (member, unknown) = (good.split('"').nth(1).unwrap(), good.replacen('{', r#"{"odd":1,"#, 1));
        refused(&send(unknown, "application/json").await, Some("odd"), &format!("{method} {path}: unknown"));
        // Duplicate members, in the object and in its first line.
        let twice = format!("{},{}", good.strip_suffix('}').unwrap(), &good[1..]);
        refused(&send(twice, "application/json").await, Some(member), &format!("{method} {path}: twice"));
        if let Some((_, line)) = good.split_once(":[") {
            let line = line.strip_suffix("]}").unwrap();
            let twice = good.replace(line, &format!("{},{}", line.strip_suffix('}').unwrap(), &line[1..]));
            let answer = send(twice, "application/json").await;
            refused(&answer, Some("lines[0].sku"), &format!("{method} {path}: a line's members twice"));
            for many in [0, 10_000] {
                let lines: Vec<_> = (0..many).map(|sku| line.replace("A-1", &format!("A-{sku}"))).collect();
                let answer = send(good.replace(line, &lines.join(",")), "application/json").await;
                refused(&answer, Some("lines"), &format!("{method} {path}: {many} lines"));
            }
        }
        for content_type in ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""] {
            let answer = send(good.clone(), content_type).await;
            refused(&answer, None, &format!("{method} {path}: content type `{content_type}`"));
        }
    }
    let answer = system.get("/inventory", &token).await;
    let items = json!([{ "sku": "A-1", "on_hand": 7, "unit_price": 100, "currency": "EUR" }]);
    assert_eq!(answer.json()["items"], items);
    for list in ["orders", "payments"] {
        assert_eq!(system.get(&format!("/{list}"), &token).await.json()[list], json!([]), "{list}");
    }
}

#[tokio::test]
async fn no_bad_query_or_id_is_more_than_a_4xx() {
    let system = System::start().await;
    let token = system.token("storefront").await;
    for (path, field) in [
        ("/orders?date=2026-02-30", "date"),
        ("/orders?date=", "date"),
        ("/payments?date=31-01-2026", "date"),
        ("/reports/2026-02-30", "date"),
        ("/orders?cursor=AAAA", "cursor"),
        ("/payments?cursor=%00", "cursor"),
        ("/inventory?cursor=e30", "cursor"),
        ("/inventory?sku=A-1&cursor=AAAA", "cursor"),
        ("/inventory?sku=A-1&limit=5", "limit"),
    ] {
        refused(&system.get(path, &token).await, Some(field), path);
    }
    for path in ["/orders/%00", "/orders/%2F", "/payments/..%2F", "/inventory/%F0%9F%92%A9", "/inventory/%FF"]
    {
        refused(&system.get(path, &token).await, None, path);
    }
    let long = format!("/orders/{}", "a".repeat(1_600));
    assert_eq!(system.get(&long, &token).await.status, 414);
}

#[tokio::test]
async fn an_odd_sku_or_customer_is_read_back_as_it_was_sent_or_refused() {
    let system = System::start().await;
    let token = system.token("storefront").await;
    let stock = |reference: &str, sku: &str| json!({ "reference": reference, "lines": [{ "sku": sku, "change": 5, "unit_price": 1 }] });
    for (number, sku) in ["A-1", "...", "a.b_c~d:e", "0", &"s".repeat(64)].into_iter().enumerate() {
        let answer = system.send(Method::POST, "/inventory", &token, &stock(&number.to_string(), sku)).await;
        assert_eq!(answer.status, 200, "{sku}: {}", answer.text);
        let read = system.get(&format!("/inventory/{sku}"), &token).await.json();
        assert_eq!((&read["sku"], &read["on_hand"]), (&json!(sku), &json!(5)), "{sku}");
    }
    for sku in
        ["", ".", "..", "a b", "a/b", "a%2Fb", "a#b", "a?b", "\u{e9}", "\u{0}", "a\"b", &"s".repeat(65)]
    {
        let answer = system.send(Method::POST, "/inventory", &token, &stock("odd", sku)).await;
        refused(&answer, Some("lines[0].sku"), sku);
    }

    let order = async |key: usize, customer: &str| {
        let body = json!({ "lines": [{ "sku": "A-1", "quantity": 1 }], "customer": customer });
        let request = system.request(Method::POST, "/orders").bearer_auth(&token);
        Answer::to(request.header("idempotency-key", key.to_string()).json(&body)).await
    };
    for (key, customer) in
        ["\u{1f4a9} \u{202e}", "<script>\"'&</script>", "a/b%2F\\", " "].into_iter().enumerate()
    {
        let answer = order(key, customer).await;
        assert_eq!(answer.status, 201, "{customer}: {}", answer.text);
        let id = answer.json()["order_id"].as_str().unwrap().to_owned();
        let read = system.get(&format!("/orders/{id}"), &token).await.json();
        assert_eq!(read["customer"], customer);
    }
    for (key, customer) in ["", "a\n", "\u{0}", "\u{7f}", &"c".repeat(257)].into_iter().enumerate() {
        refused(&order(100 + key, customer).await, Some("customer"), customer);
    }
    let answer = system.get("/inventory/A-1", &token).await.json();
    assert_eq!(answer["on_hand"], 1, "four orders, each of one");
}

fn refused(answer: &Answer, field: Option<&str>, name: &str) {
    assert!((400..500).contains(&answer.status), "{name}: {} {}", answer.status, answer.text);
    assert!(![401, 403].contains(&answer.status), "{name}: {} {}", answer.status, answer.text);
    let body: Value = answer.json();
    assert!(body["error"].is_string() && body["request_id"].is_string(), "{name}: {body}");
    if let Some(field) = field {
        assert_eq!(body["field"], field, "{name}: {body}");
    }
}
