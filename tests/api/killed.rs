//! `local --data` is killed again and again while its callers order, pay and cancel, and nobody ever retries. Two sweeps
//! restore every invariant.
//!
//! `KILLS` sets how often it is killed, `KILL_SEED` what the callers do and when it is killed.

use std::{
    collections::BTreeMap,
    env,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, SystemTime},
};

use fastrand::Rng;
use gateway::loopback;
use handlers::day::Day;
use local::clients::Clients;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use test_support::built;
use tokio::{task::JoinSet, time::sleep};

const LOADED: i64 = 100_000;

/// How many callers there are at a time.
const CALLERS: usize = 8;

/// A running `local` that is killed when dropped.
struct Serving {
    child: Child,
    base: String,
    log: Arc<Mutex<Vec<String>>>,
}

impl Serving {
    fn start(binary: &Path, folder: &Path) -> Self {
        let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");
        let mut command = Command::new(binary);
        command.current_dir(folder).args(["--port", "0", "--no-demo", "--json", "--data", "data"]);
        let command = command.args(["--template", template]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        while !greeting.contains("http://127.0.0.1:") {
            assert_ne!(stdout.read_line(&mut greeting).unwrap(), 0, "it ended: {greeting}");
        }
        let (_, port) = greeting.split_once("http://127.0.0.1:").unwrap();
        let port: String = port.chars().take_while(char::is_ascii_digit).collect();
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&log);
        thread::spawn(move || {
            stdout.lines().map_while(Result::ok).for_each(|line| lines.lock().unwrap().push(line));
        });
        Self { child, base: format!("http://127.0.0.1:{port}"), log }
    }

    /// Runs both sweeps as `local invoke` does, and returns how much they finished and could not finish.
    fn sweep(&self, binary: &Path, folder: &Path) -> (u64, u64) {
        let (_, port) = self.base.rsplit_once(':').unwrap();
        self.log.lock().unwrap().clear();
        for function in ["order", "payment"] {
            let ran = Command::new(binary)
                .current_dir(folder)
                .args(["invoke", function, "--port", port])
                .output()
                .unwrap();
            assert!(ran.status.success(), "{function}: {}", String::from_utf8_lossy(&ran.stderr));
        }
        let log = self.log.lock().unwrap();
        let lines = log.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["route"] == "schedule").fold((0, 0), |(finished, unfinished), line| {
            let count = |name: &str| line[name].as_u64().unwrap();
            (finished + count("finished"), unfinished + count("unfinished"))
        })
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Tokens of a shop and of someone who may cancel, and what they were told so far.
struct Callers {
    http: reqwest::Client,
    shop: String,
    clerk: String,
    told: Mutex<Told>,
    answers: AtomicUsize,
}

#[derive(Default)]
struct Told {
    orders: Vec<Value>,
    payments: Vec<Value>,
    cancelled: Vec<Value>,
}

impl Callers {
    async fn of(serving: &Serving, folder: &Path) -> Self {
        let clients = Clients::read(&folder.join(".local/clients.json")).unwrap();
        let http = loopback::client(Duration::from_secs(30)).unwrap();
        let token = async |name: &str| {
            let client = &clients.0[name];
            let request = http
                .post(format!("{}/oauth2/token", serving.base))
                .basic_auth(&client.client_id, Some(client.client_secret.expose_secret()))
                .header("content-type", "application/x-www-form-urlencoded")
                .body("grant_type=client_credentials");
            let answer: Value = request.send().await.unwrap().json().await.unwrap();
            answer["access_token"].as_str().unwrap().to_owned()
        };
        let (shop, clerk) = (token("storefront").await, token("payment-service").await);
        Self { http, shop, clerk, told: Mutex::default(), answers: AtomicUsize::new(0) }
    }

    /// One request, sent once.
    async fn send(
        &self,
        serving: &str,
        method: &str,
        path: &str,
        body: &Value,
        key: u64,
    ) -> reqwest::Result<(u16, Value)> {
        let token = if method == "PATCH" { &self.clerk } else { &self.shop };
        let request =
            self.http.request(method.parse().unwrap(), format!("{serving}{path}")).bearer_auth(token);
        let request = request.header("idempotency-key", format!("{key:016x}"));
        let request = if body.is_null() { request } else { request.json(body) };
        let answer = request.send().await?;
        self.answers.fetch_add(1, Ordering::Relaxed);
        Ok((answer.status().as_u16(), answer.json().await?))
    }

    /// Orders, pays and cancels until the process is gone.
    async fn trade(&self, serving: &str, mut random: Rng) -> reqwest::Result<()> {
        loop {
            let earlier = {
                let told = self.told.lock().unwrap();
                random.choice(&told.orders).cloned()
            };
            let key = random.u64(..);
            match (random.u8(..10), earlier) {
                (0..3, Some(order)) => {
                    let payment = json!({ "order_id": order["order_id"], "amount": order["total"] });
                    if let (201, payment) = self.send(serving, "POST", "/payments", &payment, key).await? {
                        self.told.lock().unwrap().payments.push(payment);
                    }
                }
                (3, Some(order)) => {
                    let path = format!("/orders/{}", order["order_id"].as_str().unwrap());
                    let status = json!({ "status": "cancelled" });
                    if let (200, order) = self.send(serving, "PATCH", &path, &status, key).await? {
                        self.told.lock().unwrap().cancelled.push(order);
                    }
                }
                _ => {
                    let line = json!({ "sku": "A-1", "quantity": random.u8(1..6) });
                    let order = json!({ "lines": [line] });
                    if let (201, order) = self.send(serving, "POST", "/orders", &order, key).await? {
                        self.told.lock().unwrap().orders.push(order);
                    }
                }
            }
        }
    }

    /// Everything in the lists of today and of the day before, since midnight may have passed meanwhile, by its id.
    async fn all(&self, serving: &Serving, list: &str, id: &str) -> BTreeMap<String, Value> {
        #[expect(
            clippy::disallowed_methods,
            reason = "what was made just now is listed under the day of now"
        )]
        let today = Day::of(SystemTime::now().try_into().unwrap());
        let mut all = BTreeMap::new();
        for day in [today.before().unwrap(), today] {
            let mut cursor = String::new();
            loop {
                let path = format!("/{list}?date={day}&limit=500{cursor}");
                let (status, page) = self.send(&serving.base, "GET", &path, &Value::Null, 0).await.unwrap();
                assert_eq!(status, 200, "{page}");
                let things = page[list].as_array().unwrap().iter();
                all.extend(things.map(|thing| (thing[id].as_str().unwrap().to_owned(), thing.clone())));
                let Some(next) = page["next_cursor"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
        }
        all
    }
}

fn number(variable: &str, default: u64) -> u64 {
    #[expect(clippy::disallowed_methods, reason = "how a developer asks for a longer run")]
    env::var(variable).ok().map_or(default, |value| value.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn two_sweeps_restore_every_invariant_after_kills_without_retries() {
    let mut random = Rng::with_seed(number("KILL_SEED", 7));
    let binary = built("local", "local").await;
    let folder = tempfile::tempdir().unwrap();
    let mut serving = Serving::start(&binary, folder.path());
    let callers = Arc::new(Callers::of(&serving, folder.path()).await);
    let line = json!({ "sku": "A-1", "change": LOADED, "unit_price": 100 });
    let stock = json!({ "reference": "in", "lines": [line] });
    assert_eq!(callers.send(&serving.base, "POST", "/inventory", &stock, 0).await.unwrap().0, 200);

    for _ in 0..number("KILLS", 4) {
        let mut trading = JoinSet::new();
        for _ in 0..CALLERS {
            let (callers, base, random) = (Arc::clone(&callers), serving.base.clone(), random.fork());
            trading.spawn(async move { drop(callers.trade(&base, random).await) });
        }
        let enough = callers.answers.load(Ordering::Relaxed) + random.usize(10..60);
        while callers.answers.load(Ordering::Relaxed) < enough {
            sleep(Duration::from_millis(random.u64(1..20))).await;
        }
        drop(serving);
        trading.join_all().await;
        serving = Serving::start(&binary, folder.path());
    }
    let first = serving.sweep(&binary, folder.path());
    serving.sweep(&binary, folder.path());
    assert_eq!(
        serving.sweep(&binary, folder.path()),
        (0, 0),
        "the third has nothing to do; the first: {first:?}"
    );

    let orders = callers.all(&serving, "orders", "order_id").await;
    let payments = callers.all(&serving, "payments", "payment_id").await;
    let standing = orders.values().filter(|order| order["status"] != "cancelled");
    let sold: i64 = standing.map(|order| order["lines"][0]["quantity"].as_i64().unwrap()).sum();
    let (_, item) = callers.send(&serving.base, "GET", "/inventory/A-1", &Value::Null, 0).await.unwrap();
    assert_eq!(item["on_hand"].as_i64().unwrap() + sold, LOADED, "no unit is lost or doubled");
    let mut paid: Vec<(&Value, &Value)> = orders
        .values()
        .filter(|order| order["status"] == "paid")
        .map(|order| (&order["order_id"], &order["payment_id"]))
        .collect();
    let mut settled: Vec<_> =
        payments.values().map(|payment| (&payment["order_id"], &payment["payment_id"])).collect();
    paid.sort_by_key(|pair| pair.0.to_string());
    settled.sort_by_key(|pair| pair.0.to_string());
    assert_eq!(paid, settled, "a payment for each paid order, and no other");
    let told = callers.told.lock().unwrap();
    assert!(told.orders.len() > 10, "{} orders were answered", told.orders.len());
    for order in &told.orders {
        assert!(orders.contains_key(order["order_id"].as_str().unwrap()), "lost: {order}");
    }
    for payment in &told.payments {
        assert_eq!(payments.get(payment["payment_id"].as_str().unwrap()), Some(payment));
    }
    for order in &told.cancelled {
        assert_eq!(orders[order["order_id"].as_str().unwrap()]["status"], "cancelled");
    }
}
