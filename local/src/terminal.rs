//! What `local` prints while it serves: one short line for each request on a terminal, `key=value` lines where the output is
//! piped, JSON with `--json`. All lines of one request have its id.

use std::{
    collections::BTreeMap,
    fmt::Display,
    sync::{Arc, OnceLock},
};

use access::log::{Level, as_text};
use authorizer::Refusal;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::Value;

use crate::{
    clients::Clients,
    exchange::{self, Line},
};

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// For a person at a terminal.
    Short {
        /// Whether the terminal shows colours.
        color: bool,
    },
    /// `LEVEL key=value …`
    Text,
    /// One JSON object a line.
    Json,
}

/// Where the lines of the log go.
pub(crate) struct Terminal {
    style: Style,
    least: Level,
    zone: TimeZone,
    /// Known once the system has started.
    known: OnceLock<Known>,
    print: Box<dyn Fn(&str) + Send + Sync>,
}

/// What short lines say of a system.
struct Known {
    /// The clients' names by their ids.
    names: BTreeMap<String, String>,
    /// The scopes that each route needs.
    needs: BTreeMap<String, String>,
}

impl Terminal {
    pub(crate) fn new(
        style: Style,
        least: Level,
        zone: TimeZone,
        print: impl Fn(&str) + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { style, least, zone, known: OnceLock::new(), print: Box::new(print) })
    }

    /// From now on clients are called by their names, and a denial says which scopes the route needs.
    pub(crate) fn know(&self, clients: &Clients, needs: BTreeMap<String, String>) {
        let names = clients.0.iter().map(|(name, client)| (client.client_id.clone(), name.clone()));
        // Once is enough.
        _ = self.known.set(Known { names: names.collect(), needs });
    }

    /// Takes a line of the log, JSON. That of the gateway ends a request.
    pub(crate) fn write(self: &Arc<Self>, text: &str) {
        let Ok(line) = serde_json::from_str::<Line>(text) else { return (self.print)(text) };
        if line.contains_key("gateway") {
            let (request, held) = exchange::take();
            self.end(&line, request, held);
        } else {
            let terminal = Arc::clone(self);
            if let Some(line) = exchange::hold(line, move |line| terminal.alone(&line)) {
                self.alone(&line);
            }
        }
    }

    /// A line that belongs to no request.
    fn alone(&self, line: &Line) {
        match self.style {
            // At a terminal only what needs a person.
            Style::Short { .. } if level(line) >= Level::Warn => (self.print)(&self.trouble(line)),
            Style::Short { .. } => {}
            Style::Text | Style::Json => self.record(line),
        }
    }

    fn end(&self, gateway: &Line, request: Option<String>, held: Vec<Line>) {
        if matches!(self.style, Style::Short { .. }) {
            for line in held.iter().filter(|line| level(line) >= Level::Warn) {
                (self.print)(&self.trouble(line));
            }
            return (self.print)(&self.short(gateway, request, &held));
        }
        for mut line in held {
            if let Some(id) = gateway.get("request_id") {
                line.insert("request_id".to_owned(), id.clone());
            }
            self.record(&line);
        }
        self.record(gateway);
    }

    fn record(&self, line: &Line) {
        if level(line) < self.least {
            return;
        }
        let text = if self.style == Style::Json {
            // A map of JSON values is always JSON.
            serde_json::to_string(line).unwrap_or_default()
        } else {
            let fields = line.iter().filter(|(name, _)| !matches!(name.as_str(), "level" | "timestamp"));
            as_text(level(line), &fields.map(|(name, value)| (name.clone(), value.clone())).collect())
        };
        (self.print)(&format!("{text}\n"));
    }

    /// `12:41:39  403  PATCH /orders/{id}  storefront  needs orders/status · cached  0.2 ms`
    fn short(&self, gateway: &Line, request: Option<String>, held: &[Line]) -> String {
        let status = gateway.get("status").and_then(Value::as_u64).unwrap_or_default();
        let route = text(gateway, "route").map(str::to_owned);
        let mut notes = Vec::new();
        let own = text(gateway, "gateway").unwrap_or_default();
        let function = held.iter().rev().find(|line| line.contains_key("status"));
        let reason = text(gateway, "reason").or_else(|| function.and_then(|line| text(line, "reason")));
        match (reason, own, &route) {
            (Some(reason), _, _) => notes.push(meaning(reason)),
            (None, "AccessDeniedException", Some(route)) => notes.push(self.needs(route)),
            (None, "UnauthorizedException", Some(_)) => notes.push("no Bearer token".to_owned()),
            (None, "answered", _) => {}
            (None, _, None) => notes.push("no such route".to_owned()),
            (None, own, Some(_)) => notes.push(own.trim_end_matches("Exception").to_owned()),
        }
        notes.extend(
            match (text(gateway, "authorizer"), gateway.get("authorizer_ms").and_then(Value::as_f64)) {
                (Some(_), Some(latency)) => Some(format!("authorizer {latency} ms")),
                (Some(cached), None) => Some(cached.to_owned()),
                (None, _) => None,
            },
        );
        let client = text(gateway, "client_id").map(|id| self.client(id)).unwrap_or_default();
        let latency = gateway.get("latency_ms").and_then(Value::as_f64).unwrap_or_default();
        let status = match status {
            500.. => self.painted("31", status),
            400.. => self.painted("33", status),
            _ => self.painted("32", status),
        };
        let route = route.or(request).unwrap_or_default();
        let (time, notes) = (self.painted("2", self.time(gateway)), notes.join(" · "));
        let gap = if notes.is_empty() { "" } else { "  " };
        format!("{time}  {status}  {route:<22}  {client:<15}  {notes}{gap}{latency} ms\n")
    }

    /// A line about something that failed.
    fn trouble(&self, line: &Line) -> String {
        let fields = ["function", "route", "reason", "detail"].iter().filter_map(|name| text(line, name));
        let mark = self.painted("31", "!");
        format!(
            "{}  {mark}    {}\n",
            self.painted("2", self.time(line)),
            fields.collect::<Vec<_>>().join("  ")
        )
    }

    fn client<'a>(&'a self, id: &'a str) -> &'a str {
        self.known.get().and_then(|known| known.names.get(id)).map_or(id, String::as_str)
    }

    /// What a caller of the route needs.
    fn needs(&self, route: &str) -> String {
        let needs = self.known.get().and_then(|known| known.needs.get(route));
        needs.map_or_else(|| "not allowed by the policy".to_owned(), |scopes| format!("needs {scopes}"))
    }

    fn time(&self, line: &Line) -> String {
        let time =
            text(line, "timestamp").and_then(|time| time.parse::<Timestamp>().ok()).unwrap_or_default();
        time.to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string()
    }

    fn painted(&self, color: &str, text: impl Display) -> String {
        match self.style {
            Style::Short { color: true } => format!("\u{1b}[{color}m{text}\u{1b}[0m"),
            Style::Short { color: false } | Style::Text | Style::Json => text.to_string(),
        }
    }
}

fn text<'a>(line: &'a Line, name: &str) -> Option<&'a str> {
    line.get(name).and_then(Value::as_str)
}

fn level(line: &Line) -> Level {
    match text(line, "level") {
        Some("DEBUG") => Level::Debug,
        Some("WARN") => Level::Warn,
        Some("ERROR") => Level::Error,
        Some(_) | None => Level::Info,
    }
}

/// The label of a refusal with what it means; any other label alone.
fn meaning(reason: &str) -> String {
    let refusal = Refusal::ALL.iter().find(|refusal| refusal.label() == reason);
    match refusal.map(|refusal| refusal.meaning()) {
        Some(meaning) => format!("{reason}: {meaning}"),
        None => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests;
