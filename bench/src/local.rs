//! The load on `local`: a release build that serves the template without its throttles, and clients on connections that
//! stay open. The gateway caches the token's policy before the first sample, so this measures the gateway with a cached
//! policy, the function and the embedded database.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, anyhow, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{
    figure::{Figure, Program},
    measure::{Samples, add, milliseconds},
};
use bench::clock;

const CLIENT: &str = "storefront";

/// Requests before the first sample: connections, caches and the allocator settle.
const WARM_UP: usize = 500;

/// One after the other on one connection: the time of each.
const ALONE: usize = 2_000;

/// At once, each on a connection of its own, for so long.
const TOGETHER: usize = 16;
const LOAD: Duration = Duration::from_secs(2);

/// No answer of a healthy `local` takes this long.
const PATIENCE: Duration = Duration::from_secs(10);

/// The template's limits and their replacements; otherwise the limits would be measured.
const LIMITS: [&str; 5] =
    ["ThrottlingRateLimit", "ThrottlingBurstLimit", "CallsPerSecond", "Burst", "CallsPerDay"];
const LIFTED: &str = "1000000000";

/// Measures in rounds; a process for each.
pub(crate) fn measure(program: &Path, rounds: usize) -> Result<Samples> {
    let mut samples = Samples::new();
    for _ in 0..rounds {
        let local = Local::start(program)?;
        let request = local.request()?;
        let mut connection = Connection::open(local.address)?;
        for _ in 0..WARM_UP {
            connection.get(&request)?;
        }
        for _ in 0..ALONE {
            let began = clock::now();
            connection.get(&request)?;
            add(&mut samples, Figure::LocalTime, Program::Local, milliseconds(began.elapsed()));
        }
        add(&mut samples, Figure::LocalRate, Program::Local, load(local.address, &request)?);
    }
    Ok(samples)
}

/// Requests a second, of all connections together.
fn load(address: SocketAddr, request: &str) -> Result<f64> {
    let began = clock::now();
    let answered = thread::scope(|scope| {
        let clients: Vec<_> = (0..TOGETHER)
            .map(|_| {
                scope.spawn(|| {
                    let mut connection = Connection::open(address)?;
                    let mut answered = 0_u32;
                    while began.elapsed() < LOAD {
                        connection.get(request)?;
                        answered += 1;
                    }
                    Ok::<_, anyhow::Error>(answered)
                })
            })
            .collect();
        let answered =
            clients.into_iter().map(|client| client.join().map_err(|_| anyhow!("a client panicked"))?);
        answered.sum::<Result<u32>>()
    })?;
    Ok(f64::from(answered) / began.elapsed().as_secs_f64())
}

/// A running `local`; it is killed when dropped, and its files go with it.
struct Local {
    process: Child,
    address: SocketAddr,
    folder: PathBuf,
}

impl Local {
    fn start(program: &Path) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("bench-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let template = folder.join("template.yaml");
        let text = fs::read_to_string("template.yaml").context("start it in the workspace: template.yaml")?;
        fs::write(&template, lifted(&text))?;
        fs::copy("routes.json", folder.join("routes.json"))
            .context("start it in the workspace: routes.json")?;
        let mut process = Command::new(program)
            .args(["--port", "0", "--template"])
            .arg(&template)
            .arg("--clients-file")
            .arg(folder.join("clients.json"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot start `local`")?;
        let output = process.stdout.take().context("no output")?;
        let mut lines = BufReader::new(output).lines();
        let found = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, address) = line.rsplit_once("http://")?;
            line.starts_with("Serving ").then(|| address.parse().ok())?
        });
        // Its other output is discarded, since a full pipe would stop it.
        thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let Some(address) = found else {
            let _ = process.kill();
            return Err(anyhow!("`local` does not say where it serves"));
        };
        Ok(Self { process, address, folder })
    }

    /// GET /inventory with a fresh token.
    fn request(&self) -> Result<String> {
        let clients: Value = serde_json::from_str(&fs::read_to_string(self.folder.join("clients.json"))?)?;
        let client = clients.get(CLIENT).context("no such client")?;
        let text = |name: &str| client.get(name).and_then(Value::as_str).context("no credentials");
        let basic = STANDARD.encode(format!("{}:{}", text("client_id")?, text("client_secret")?));
        let form = "grant_type=client_credentials";
        let request = format!(
            "POST /oauth2/token HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {basic}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            self.address,
            form.len()
        );
        let answer: Value = serde_json::from_slice(&Connection::open(self.address)?.get(&request)?)?;
        let token = answer.get("access_token").and_then(Value::as_str).context("no token")?;
        Ok(format!(
            "GET /inventory HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\n\r\n",
            self.address
        ))
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        // A process that is gone already, or a folder, leaves nothing to do.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The template with limits that nobody reaches; those that refer to a parameter stay.
fn lifted(template: &str) -> String {
    let lift = |line: &str| {
        let (name, value) = line.split_once(": ")?;
        let is_limit = LIMITS.contains(&name.trim_start()) && value.bytes().all(|byte| byte.is_ascii_digit());
        is_limit.then(|| format!("{name}: {LIFTED}\n"))
    };
    template.lines().map(|line| lift(line).unwrap_or_else(|| format!("{line}\n"))).collect()
}

/// A connection that stays open.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Sends a request and reads the whole answer; any other than 200 is an error.
    fn get(&mut self, request: &str) -> Result<Vec<u8>> {
        self.0.get_mut().write_all(request.as_bytes())?;
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        ensure!(line.starts_with("HTTP/1.1 200 "), "a wrong answer: {}", line.trim_end());
        let mut length = 0;
        while line != "\r\n" {
            line.clear();
            ensure!(self.0.read_line(&mut line)? > 0, "the answer broke off");
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_are_lifted() {
        for (name, line, expected) in [
            ("rate", "  CallsPerSecond: 50", "  CallsPerSecond: 1000000000\n"),
            ("quota", "        CallsPerDay: 5", "        CallsPerDay: 1000000000\n"),
            ("parameter", "  Burst: !Ref Most", "  Burst: !Ref Most\n"),
            ("other", "  TimeLimit: 5", "  TimeLimit: 5\n"),
            ("no value", "Throttle:", "Throttle:\n"),
        ] {
            assert_eq!(lifted(line), expected, "{name}");
        }
    }
}
