//! The token client's `tracing` events as lines of a function's log: a token that was not renewed, for one.

use std::{collections::BTreeMap, fmt, time::SystemTime};

use access::log::{Level, Log};
use serde_json::Value;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span,
};

/// Writes the events of the crate `client` to `log`, and those of nobody else: what the AWS SDK and the HTTP client say
/// may hold a request. Does nothing if the process has a subscriber already.
pub fn write_to(log: Log, clock: fn() -> SystemTime) {
    // The one that is there has its reasons.
    let _ = tracing::subscriber::set_global_default(Events { log, clock });
}

struct Events {
    log: Log,
    clock: fn() -> SystemTime,
}

impl Subscriber for Events {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let target = metadata.target();
        metadata.is_event() && (target == "client" || target.starts_with("client::"))
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        // The macros of all other crates cost one comparison then.
        Some(LevelFilter::INFO)
    }

    fn event(&self, event: &Event<'_>) {
        let level = match *event.metadata().level() {
            tracing::Level::ERROR => Level::Error,
            tracing::Level::WARN => Level::Warn,
            tracing::Level::INFO => Level::Info,
            tracing::Level::DEBUG | tracing::Level::TRACE => Level::Debug,
        };
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.log.record(level, (self.clock)(), &fields.0);
    }

    // The client has no spans.
    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[derive(Default)]
struct Fields(BTreeMap<&'static str, Value>);

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.0.insert(field.name(), crate::error::chain(value).into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}").into());
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use super::*;

    #[test]
    fn the_clients_events_are_lines_of_the_log_and_no_others() {
        let lines = Arc::new(Mutex::new(String::new()));
        let written = Arc::clone(&lines);
        let log = Log::from_vars(|_| None, move |line| written.lock().unwrap().push_str(line));
        let events = Events { log, clock: || SystemTime::UNIX_EPOCH };
        let error = io::Error::other("no connection");
        tracing::subscriber::with_default(events, || {
            let error = &error as &(dyn std::error::Error + 'static);
            tracing::warn!(target: "client::source::slots", scopes = "a/read b/read", left = 9_u64, error, "token not renewed");
            tracing::info!(target: "client", "told");
            tracing::debug!(target: "client", "too much");
            tracing::error!(target: "client_of_others", "not ours");
            tracing::error!(target: "hyper", "not ours");
        });
        insta::assert_snapshot!(lines.lock().unwrap(), @r#"
        WARN error="no connection" left=9 message="token not renewed" scopes="a/read b/read"
        INFO message=told
        "#);
    }
}
