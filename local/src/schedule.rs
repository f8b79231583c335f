//! Owns what a schedule sends to its function. When it would send it is left to EventBridge: on a laptop somebody says
//! so.

use std::collections::BTreeMap;

use access::UnixSeconds;
use gateway::template::{Function, Schedule};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

/// The schedules of all functions, by the names of their binaries; of several the first that is enabled.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schedules(BTreeMap<String, Scheduled>);

/// A function that a schedule invokes.
#[derive(Clone, Debug)]
pub(crate) struct Scheduled {
    /// The name under which the function is invoked.
    pub(crate) function: String,
    rule_arn: String,
    account_id: String,
    region: String,
    input: Option<String>,
}

impl Schedules {
    /// Takes the schedules from `functions`, by logical id.
    pub(crate) fn of(functions: &BTreeMap<String, Function>, account_id: &str, region: &str) -> Self {
        let scheduled = |(logical_id, function): (&String, &Function)| {
            let Schedule { name, input, .. } = function.schedules.iter().find(|schedule| schedule.enabled)?;
            let rule_arn = format!("arn:aws:events:{region}:{account_id}:rule/local-{logical_id}{name}");
            let scheduled = Scheduled {
                function: logical_id.clone(),
                rule_arn,
                account_id: account_id.to_owned(),
                region: region.to_owned(),
                input: input.clone(),
            };
            Some((function.binary.clone(), scheduled))
        };
        Self(functions.iter().filter_map(scheduled).collect())
    }

    /// What the schedule of the function of this binary invokes.
    pub(crate) fn get(&self, binary: &str) -> Option<&Scheduled> {
        self.0.get(binary)
    }
}

impl Scheduled {
    /// The event that the function gets at `now`.
    // SPEC: Amazon EventBridge, "Creating a rule that runs on a schedule": the event of a scheduled rule
    pub(crate) fn event(&self, now: UnixSeconds, id: Uuid) -> String {
        if let Some(input) = &self.input {
            return input.clone();
        }
        let time = i64::try_from(now.0).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
        let event = json!({
            "version": "0",
            "id": id.to_string(),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": self.account_id,
            "time": time.map(|time| time.to_string()),
            "region": self.region,
            "resources": [self.rule_arn],
            "detail": {},
        });
        event.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn function(schedules: Vec<Schedule>) -> BTreeMap<String, Function> {
        let function = Function {
            binary: "report".into(),
            environment: BTreeMap::new(),
            timeout: Duration::from_secs(3),
            schedules,
        };
        BTreeMap::from([("ReportFunction".into(), function)])
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

    fn event(schedules: Vec<Schedule>) -> Option<String> {
        let schedules = Schedules::of(&function(schedules), "123456789012", "us-east-1");
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
}
