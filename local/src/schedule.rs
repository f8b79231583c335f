//! The schedules of the template: which function each invokes and with which event, and playing them at their times.

mod expression;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use access::UnixSeconds;
use gateway::{
    http::Clock,
    invoke::Invoke,
    template::{Function, Schedule},
};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::json;
use tokio::{task::JoinSet, time::sleep};
use uuid::Uuid;

use self::expression::{Expression, ExpressionError};

/// The longest sleep before the clock is read again: it may be set, and a laptop may be suspended.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// The enabled schedules of all functions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schedules(Vec<Scheduled>);

/// A function that a schedule invokes.
#[derive(Clone, Debug)]
pub(crate) struct Scheduled {
    /// The name of the function's binary.
    pub(crate) binary: String,
    /// The name under which the function is invoked.
    pub(crate) function: String,
    /// What the template says of it.
    pub(crate) schedule: Schedule,
    times: Expression,
    zone: TimeZone,
    account_id: String,
    region: String,
}

/// A schedule that cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// EventBridge would refuse the expression.
    #[error("the schedule `{schedule}` of the function `{function}` has the expression `{expression}`")]
    Expression {
        /// The logical id of the function.
        function: String,
        /// The name of the schedule.
        schedule: String,
        /// The expression.
        expression: String,
        /// What is wrong with it.
        #[source]
        source: ExpressionError,
    },
    /// This machine does not know the time zone.
    #[error("the time zone `{0}` of the schedule `{1}` is not known on this machine")]
    Zone(String, String, #[source] jiff::Error),
}

impl Schedules {
    /// Takes the enabled schedules from `functions`, by logical id.
    ///
    /// # Errors
    /// The first that cannot be played.
    pub(crate) fn of(
        functions: &BTreeMap<String, Function>,
        account_id: &str,
        region: &str,
    ) -> Result<Self, ScheduleError> {
        let read = |logical_id: &String, binary: &String, schedule: &Schedule| {
            let Schedule { name, expression, time_zone, .. } = schedule;
            let times = expression.parse().map_err(|source| ScheduleError::Expression {
                function: logical_id.clone(),
                schedule: name.clone(),
                expression: expression.clone(),
                source,
            })?;
            let zone = time_zone.as_ref().map_or(Ok(TimeZone::UTC), |zone| {
                TimeZone::get(zone).map_err(|error| ScheduleError::Zone(zone.clone(), name.clone(), error))
            })?;
            Ok(Scheduled {
                binary: binary.clone(),
                function: logical_id.clone(),
                schedule: schedule.clone(),
                times,
                zone,
                account_id: account_id.to_owned(),
                region: region.to_owned(),
            })
        };
        let all = functions.iter().flat_map(|(logical_id, function)| {
            let enabled = function.schedules.iter().filter(|schedule| schedule.enabled);
            enabled.map(move |schedule| read(logical_id, &function.binary, schedule))
        });
        Ok(Self(all.collect::<Result<_, _>>()?))
    }

    /// The schedule of the function of this binary; of several the first.
    pub(crate) fn get(&self, binary: &str) -> Option<&Scheduled> {
        self.0.iter().find(|scheduled| scheduled.binary == binary)
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Scheduled> {
        self.0.iter()
    }

    /// Invokes each function when its schedule says so, for as long as the returned tasks are not dropped. A run that is
    /// still under way when the next is due delays it; what was due while the machine slept runs once.
    pub(crate) fn play(&self, functions: &Arc<dyn Invoke>, clock: Clock) -> JoinSet<()> {
        let mut playing = JoinSet::new();
        for scheduled in &self.0 {
            let (scheduled, functions) = (scheduled.clone(), Arc::clone(functions));
            playing.spawn(async move {
                while let Some(due) = scheduled.next(clock()) {
                    while let Ok(left) = due.duration_since(clock())
                        && !left.is_zero()
                    {
                        sleep(left.min(LONGEST_SLEEP)).await;
                    }
                    let event = scheduled.event(clock().into(), Uuid::new_v4());
                    // How it went is in the function's own line.
                    _ = functions.invoke(&scheduled.function, event.into_bytes()).await;
                }
            });
        }
        playing
    }
}

impl Scheduled {
    fn next(&self, now: SystemTime) -> Option<SystemTime> {
        let now = Timestamp::try_from(now).ok()?;
        self.times.next(now, &self.zone).map(SystemTime::from)
    }

    /// The event that the function gets at `now`.
    // SPEC: Amazon EventBridge, "Creating a rule that runs on a schedule": the event of a scheduled rule
    pub(crate) fn event(&self, now: UnixSeconds, id: Uuid) -> String {
        let Self { function, schedule: Schedule { name, input, .. }, account_id, region, .. } = self;
        if let Some(input) = input {
            return input.clone();
        }
        let time = i64::try_from(now.0).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        let event = json!({
            "version": "0",
            "id": id.to_string(),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": account_id,
            "time": time.map(|time| time.to_string()),
            "region": region,
            "resources": [format!("arn:aws:events:{region}:{account_id}:rule/local-{function}{name}")],
            "detail": {},
        });
        event.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Mutex, PoisonError},
        time::UNIX_EPOCH,
    };

    use futures_util::{FutureExt as _, future::BoxFuture};

    use gateway::invoke::InvokeError;

    use super::*;

    fn schedules(schedules: Vec<Schedule>) -> Result<Schedules, ScheduleError> {
        let function = Function {
            binary: "report".into(),
            code: None,
            environment: BTreeMap::new(),
            timeout: Duration::from_secs(3),
            schedules,
        };
        let functions = BTreeMap::from([("ReportFunction".into(), function)]);
        Schedules::of(&functions, "123456789012", "us-east-1")
    }

    fn schedule(enabled: bool, input: Option<&str>) -> Schedule {
        Schedule {
            name: "Daily".into(),
            expression: "rate(1 day)".into(),
            time_zone: None,
            input: input.map(Into::into),
            enabled,
        }
    }

    fn event(all: Vec<Schedule>) -> Option<String> {
        let schedules = schedules(all).unwrap();
        schedules.get("report").map(|scheduled| scheduled.event(UnixSeconds(1_769_904_900), Uuid::nil()))
    }

    #[test]
    fn a_schedule_sends_the_event_of_eventbridge() {
        let event: serde_json::Value =
            serde_json::from_str(&event(vec![schedule(true, None)]).unwrap()).unwrap();
        insta::assert_json_snapshot!(event, @r#"
        {
          "account": "123456789012",
          "detail": {},
          "detail-type": "Scheduled Event",
          "id": "00000000-0000-0000-0000-000000000000",
          "region": "us-east-1",
          "resources": [
            "arn:aws:events:us-east-1:123456789012:rule/local-ReportFunctionDaily"
          ],
          "source": "aws.events",
          "time": "2026-02-01T00:15:00Z",
          "version": "0"
        }
        "#);
    }

    #[test]
    fn input_takes_the_place_of_the_event_and_what_is_disabled_sends_nothing() {
        let cases = [
            ("input", vec![schedule(true, Some("{}"))], Some("{}")),
            ("disabled", vec![schedule(false, Some("{}"))], None),
            (
                "the first that is enabled",
                vec![schedule(false, Some("1")), schedule(true, Some("2"))],
                Some("2"),
            ),
            ("none", vec![], None),
        ];
        for (name, schedules, expected) in cases {
            assert_eq!(event(schedules).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn what_cannot_be_played_is_named() {
        let odd = Schedule { expression: "rate(1 blink)".into(), ..schedule(true, None) };
        let error = schedules(vec![odd]).unwrap_err();
        assert!(error.to_string().contains("`Daily` of the function `ReportFunction`"), "{error}");
        let lost = Schedule { time_zone: Some("Mars/Phobos".into()), ..schedule(true, None) };
        let error = schedules(vec![lost]).unwrap_err();
        assert!(error.to_string().contains("`Mars/Phobos`"), "{error}");
    }

    /// Remembers what it was invoked with.
    #[derive(Default)]
    struct Remembering(Mutex<Vec<String>>);

    impl Invoke for Remembering {
        fn invoke<'a>(
            &'a self,
            function: &'a str,
            event: Vec<u8>,
        ) -> BoxFuture<'a, Result<Vec<u8>, InvokeError>> {
            let said = format!("{function} {}", String::from_utf8_lossy(&event));
            self.0.lock().unwrap_or_else(PoisonError::into_inner).push(said);
            async { Err(InvokeError::TimedOut) }.boxed()
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the clock that the test moves")]
    static STARTED: std::sync::LazyLock<tokio::time::Instant> =
        std::sync::LazyLock::new(tokio::time::Instant::now);

    #[tokio::test(start_paused = true)]
    async fn every_schedule_is_played_at_its_times() {
        _ = *STARTED;
        let each = |expression: &str, input: &str| Schedule {
            expression: expression.into(),
            ..schedule(true, Some(input))
        };
        let all = vec![
            each("rate(1 minute)", "m"),
            each("cron(0/2 * * * ? *)", "c"),
            schedule(false, Some("never")),
        ];
        let remembering = Arc::new(Remembering::default());
        let functions: Arc<dyn Invoke> = Arc::<Remembering>::clone(&remembering);
        // Half a minute past a full hour.
        let clock = || UNIX_EPOCH + Duration::from_secs(1_769_904_030) + STARTED.elapsed();
        let playing = schedules(all).unwrap().play(&functions, clock);
        sleep(Duration::from_secs(265)).await;
        let mut played = remembering.0.lock().unwrap().clone();
        played.sort();
        let expected = ["c", "c", "m", "m", "m", "m"].map(|input| format!("ReportFunction {input}"));
        assert_eq!(played, expected, "a failed run does not end a schedule");
        drop(playing);
        sleep(Duration::from_mins(10)).await;
        assert_eq!(remembering.0.lock().unwrap().len(), 6);
    }
}
