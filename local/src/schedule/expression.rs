//! When a schedule runs: `rate(…)`, `cron(…)` and `at(…)` as EventBridge reads them.

use std::{collections::BTreeSet, str::FromStr};

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, DateTime, Time, Weekday},
    tz::TimeZone,
};

/// The years that EventBridge knows.
const YEARS: (i16, i16) = (1970, 2199);
const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A schedule expression.
// SPEC: Amazon EventBridge, "Cron-based schedules", "Rate-based schedules"
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    Rate(SignedDuration),
    Cron(Box<Cron>),
    /// Once, in the schedule's time zone.
    At(DateTime),
}

/// A string that is not a schedule expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected `rate(5 minutes)`, `at(2030-01-31T12:00:00)`, or `cron(…)` with six fields of which one of the two for days is `?`"
)]
pub struct ExpressionError;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cron {
    minutes: BTreeSet<i16>,
    hours: BTreeSet<i16>,
    days: Vec<Day>,
    months: BTreeSet<i16>,
    years: BTreeSet<i16>,
}

/// One item of the two fields for days. Weekdays count from Sunday, 1.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Day {
    OfMonth(BTreeSet<i16>),
    LastOfMonth,
    LastWeekdayOfMonth,
    /// The day from Monday to Friday that is nearest to this day, in the same month.
    NearestWeekday(i16),
    OfWeek(BTreeSet<i16>),
    LastOfWeek(i16),
    /// A day of the week, the n-th of the month.
    NthOfWeek(i16, i16),
}

impl Expression {
    /// The first time after `now`, and after the run before it, if there was one. `None` if it never runs again.
    pub(super) fn next(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        match self {
            Self::Rate(interval) => now.checked_add(*interval).ok(),
            Self::Cron(cron) => cron.next(now, zone),
            Self::At(time) => zone.to_timestamp(*time).ok().filter(|time| *time > now),
        }
    }
}

impl FromStr for Expression {
    type Err = ExpressionError;

    fn from_str(text: &str) -> Result<Self, ExpressionError> {
        let (kind, inner) =
            text.strip_suffix(')').and_then(|text| text.split_once('(')).ok_or(ExpressionError)?;
        match kind {
            "rate" => {
                let (count, unit) = inner.split_once(' ').ok_or(ExpressionError)?;
                let count: u32 = count.parse().ok().filter(|count| *count > 0).ok_or(ExpressionError)?;
                let minutes = match unit {
                    "minute" | "minutes" => 1,
                    "hour" | "hours" => 60,
                    "day" | "days" => 24 * 60,
                    _ => return Err(ExpressionError),
                };
                Ok(Self::Rate(SignedDuration::from_mins(i64::from(count) * minutes)))
            }
            "cron" => Ok(Self::Cron(Box::new(Cron::parse(inner).ok_or(ExpressionError)?))),
            "at" => inner.parse().map(Self::At).map_err(|_| ExpressionError),
            _ => Err(ExpressionError),
        }
    }
}

impl Cron {
    fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, month_days, months, week_days, years] = fields.as_slice() else { return None };
        let days = match (*month_days, *week_days) {
            ("?", "?") => return None,
            ("?", days) => days.split(',').map(day_of_week).collect::<Option<_>>()?,
            (days, "?") => days.split(',').map(day_of_month).collect::<Option<_>>()?,
            _ => return None,
        };
        Some(Self {
            minutes: numbers(minutes, (0, 59), &[])?,
            hours: numbers(hours, (0, 23), &[])?,
            days,
            months: numbers(months, (1, 12), &MONTHS)?,
            years: numbers(years, YEARS, &[])?,
        })
    }

    fn next(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut date = zone.to_datetime(now).date();
        while date.year() <= YEARS.1 {
            if self.runs_on(date) {
                let times =
                    self.hours.iter().flat_map(|hour| self.minutes.iter().map(move |minute| (hour, minute)));
                let times = times.filter_map(|(hour, minute)| {
                    let time =
                        Time::new(i8::try_from(*hour).ok()?, i8::try_from(*minute).ok()?, 0, 0).ok()?;
                    zone.to_timestamp(date.to_datetime(time)).ok()
                });
                // Where clocks are put forward, a later time of day may be the same moment.
                if let Some(next) = times.filter(|time| *time > now).min() {
                    return Some(next);
                }
            }
            date = date.tomorrow().ok()?;
        }
        None
    }

    fn runs_on(&self, date: Date) -> bool {
        self.years.contains(&date.year())
            && self.months.contains(&i16::from(date.month()))
            && self.days.iter().any(|day| day.is(date))
    }
}

impl Day {
    fn is(&self, date: Date) -> bool {
        let (day, last) = (i16::from(date.day()), i16::from(date.days_in_month()));
        let week_day = i16::from(date.weekday().to_sunday_one_offset());
        match self {
            Self::OfMonth(days) => days.contains(&day),
            Self::LastOfMonth => day == last,
            Self::LastWeekdayOfMonth => nearest_weekday(date, last) == Some(day),
            Self::NearestWeekday(wanted) => nearest_weekday(date, *wanted) == Some(day),
            Self::OfWeek(days) => days.contains(&week_day),
            Self::LastOfWeek(wanted) => week_day == *wanted && day + 7 > last,
            Self::NthOfWeek(wanted, n) => week_day == *wanted && (day + 6) / 7 == *n,
        }
    }
}

/// The day from Monday to Friday that is nearest to a day of the month of `date`.
fn nearest_weekday(date: Date, wanted: i16) -> Option<i16> {
    let last = i16::from(date.days_in_month());
    let wanted_date = Date::new(date.year(), date.month(), i8::try_from(wanted).ok()?).ok()?;
    Some(match wanted_date.weekday() {
        Weekday::Saturday if wanted == 1 => 3,
        Weekday::Saturday => wanted - 1,
        Weekday::Sunday if wanted == last => wanted - 2,
        Weekday::Sunday => wanted + 1,
        Weekday::Monday | Weekday::Tuesday | Weekday::Wednesday | Weekday::Thursday | Weekday::Friday => {
            wanted
        }
    })
}

fn day_of_month(item: &str) -> Option<Day> {
    match (item, item.strip_suffix('W')) {
        ("L", _) => Some(Day::LastOfMonth),
        ("LW", _) => Some(Day::LastWeekdayOfMonth),
        (_, Some(day)) => Some(Day::NearestWeekday(number(day, (1, 31), &[])?)),
        (_, None) => Some(Day::OfMonth(numbers(item, (1, 31), &[])?)),
    }
}

fn day_of_week(item: &str) -> Option<Day> {
    let of_week = |text| number(text, (1, 7), &WEEKDAYS);
    if let Some((day, n)) = item.split_once('#') {
        return Some(Day::NthOfWeek(of_week(day)?, number(n, (1, 5), &[])?));
    }
    match item.strip_suffix('L') {
        Some("") => Some(Day::OfWeek([7].into())),
        Some(day) => Some(Day::LastOfWeek(of_week(day)?)),
        None => Some(Day::OfWeek(numbers(item, (1, 7), &WEEKDAYS)?)),
    }
}

/// The numbers that a field names: `*`, `5`, `1-5`, `0/15`, and lists of them. A range may run over the end.
fn numbers(field: &str, (least, greatest): (i16, i16), words: &[&str]) -> Option<BTreeSet<i16>> {
    let mut all = BTreeSet::new();
    for item in field.split(',') {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(number(step, (1, greatest), &[])?)),
            None => (item, None),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (least, greatest),
            Some((from, to)) => {
                (number(from, (least, greatest), words)?, number(to, (least, greatest), words)?)
            }
            None => {
                let from = number(range, (least, greatest), words)?;
                (from, if step.is_some() { greatest } else { from })
            }
        };
        let step = usize::try_from(step.unwrap_or(1)).ok()?;
        if from <= to {
            all.extend((from..=to).step_by(step));
        } else {
            all.extend((from..=greatest).chain(least..=to).step_by(step));
        }
    }
    Some(all)
}

/// A number, or one of `words`, the first of which is the least number.
fn number(text: &str, (least, greatest): (i16, i16), words: &[&str]) -> Option<i16> {
    let position = words.iter().position(|word| word.eq_ignore_ascii_case(text));
    let number = match position {
        Some(position) => i16::try_from(position).ok()? + least,
        None => text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))?,
    };
    (least..=greatest).contains(&number).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(expression: &str, now: &str) -> String {
        let expression: Expression = expression.parse().unwrap();
        let next = expression.next(now.parse().unwrap(), &TimeZone::UTC);
        next.map_or_else(|| "never".to_owned(), |next| next.to_string())
    }

    #[test]
    fn the_next_run_is_the_one_of_eventbridge() {
        // 2026-02-03 is a Tuesday.
        let cases = [
            ("rate(1 minute)", "2026-02-03T04:05:06Z", "2026-02-03T04:06:06Z"),
            ("rate(5 hours)", "2026-02-03T04:05:06Z", "2026-02-03T09:05:06Z"),
            ("rate(7 days)", "2026-02-03T04:05:06Z", "2026-02-10T04:05:06Z"),
            ("cron(15 0 * * ? *)", "2026-02-03T00:14:59Z", "2026-02-03T00:15:00Z"),
            ("cron(15 0 * * ? *)", "2026-02-03T00:15:00Z", "2026-02-04T00:15:00Z"),
            ("cron(0/15 * * * ? *)", "2026-02-03T00:46:00Z", "2026-02-03T01:00:00Z"),
            ("cron(0 8-17/4 ? * MON-FRI *)", "2026-02-06T16:00:00Z", "2026-02-09T08:00:00Z"),
            ("cron(0 0 ? * FRI-SUN *)", "2026-02-03T00:00:00Z", "2026-02-06T00:00:00Z"),
            ("cron(0 0 ? * 2#1 *)", "2026-02-03T00:00:00Z", "2026-03-02T00:00:00Z"),
            ("cron(0 0 ? * 6L *)", "2026-02-03T00:00:00Z", "2026-02-27T00:00:00Z"),
            ("cron(0 0 ? * L *)", "2026-02-03T00:00:00Z", "2026-02-07T00:00:00Z"),
            ("cron(0 0 L * ? *)", "2026-02-03T00:00:00Z", "2026-02-28T00:00:00Z"),
            ("cron(0 0 LW * ? *)", "2026-02-03T00:00:00Z", "2026-02-27T00:00:00Z"),
            ("cron(0 0 1W * ? *)", "2026-07-31T00:00:00Z", "2026-08-03T00:00:00Z"),
            ("cron(0 0 15,L * ? *)", "2026-02-16T00:00:00Z", "2026-02-28T00:00:00Z"),
            ("cron(0 0 29 feb ? *)", "2026-02-03T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("cron(0 0 1 1 ? 2025)", "2026-02-03T00:00:00Z", "never"),
            ("cron(0 0 1 1 ? 2030-2031)", "2026-02-03T00:00:00Z", "2030-01-01T00:00:00Z"),
            ("at(2026-02-03T05:00:00)", "2026-02-03T04:05:06Z", "2026-02-03T05:00:00Z"),
            ("at(2026-02-03T05:00:00)", "2026-02-03T05:00:00Z", "never"),
        ];
        for (expression, now, expected) in cases {
            assert_eq!(next(expression, now), expected, "{expression} after {now}");
        }
    }

    #[test]
    fn what_eventbridge_would_refuse_is_refused() {
        let cases = [
            "",
            "rate()",
            "rate(0 minutes)",
            "rate(-1 minutes)",
            "rate(1 second)",
            "rate(1 minute",
            "Rate(1 minute)",
            "cron(0 0 * * *)",
            "cron(0 0 * * ? * *)",
            "cron(0 0 ? * ? *)",
            "cron(0 0 * * * *)",
            "cron(60 0 * * ? *)",
            "cron(0 24 * * ? *)",
            "cron(0 0 32 * ? *)",
            "cron(0 0 0 * ? *)",
            "cron(0 0 ? * 8 *)",
            "cron(0 0 * 13 ? *)",
            "cron(0/0 0 * * ? *)",
            "cron(+1 0 * * ? *)",
            "cron(0 0 * ABC ? *)",
            "cron(0 0 * * ? 1969)",
            "cron(, 0 * * ? *)",
            "at(tomorrow)",
            "cron(0 0 ? * MON#6 *)",
        ];
        for text in cases {
            assert_eq!(text.parse::<Expression>(), Err(ExpressionError), "{text}");
        }
    }
}
