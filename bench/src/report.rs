//! The report: medians, ratios and how they compare with the targets.

use std::{collections::BTreeMap, fmt::Write as _, fs};

use serde::Serialize;

use crate::{
    cores::Cores,
    figure::{Bound, Figure, Part, Program, Target},
    measure::Samples,
};

/// The whole outcome, as the JSON file has it.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    machine: Machine,
    rows: Vec<Row>,
}

/// Where the samples were taken.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) architecture: &'static str,
    pub(crate) processor: String,
    pub(crate) cores: Cores,
}

impl Machine {
    /// This machine, with its processor's name where the system tells.
    pub(crate) fn here(cores: Cores) -> Self {
        let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let name = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let processor = name.map_or_else(|| "unnamed processor".to_owned(), |(_, name)| name.to_owned());
        Self { architecture: std::env::consts::ARCH, processor, cores }
    }
}

/// One figure: of each program that has it, and the worst of ours beside its target.
#[derive(Debug, Serialize)]
struct Row {
    figure: Figure,
    unit: &'static str,
    programs: BTreeMap<Program, Middle>,
    /// Of our program's sample to the other program's of the same round; of several the worst.
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<Ratio>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Bound>,
    verdict: Verdict,
}

#[derive(Debug, Serialize)]
struct Ratio {
    of: Program,
    to: Program,
    #[serde(flatten)]
    middle: Middle,
}

/// The middle of some samples: half of them lie between the quartiles.
#[derive(Clone, Copy, Debug, Serialize)]
struct Middle {
    samples: usize,
    median: f64,
    quartiles: [f64; 2],
}

impl Middle {
    fn of(mut samples: Vec<f64>) -> Option<Self> {
        samples.sort_by(f64::total_cmp);
        Some(Self {
            samples: samples.len(),
            median: quantile(&samples, 0.5)?,
            quartiles: [quantile(&samples, 0.25)?, quantile(&samples, 0.75)?],
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Untargeted,
    Met,
    Missed,
    GrosslyMissed,
}

impl Verdict {
    fn of(reached: f64, target: &Target) -> Self {
        match target.bound {
            None => Self::Untargeted,
            Some(bound) if bound.holds(reached) => Self::Met,
            Some(_) if target.gross.is_some_and(|gross| reached > gross) => Self::GrosslyMissed,
            Some(_) => Self::Missed,
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Untargeted => "",
            Self::Met => "met",
            Self::Missed => "MISSED",
            Self::GrosslyMissed => "MISSED GROSSLY",
        }
    }
}

impl Row {
    /// `None` if one of our programs, or what it is compared with, has no sample.
    fn new(figure: Figure, samples: &Samples) -> Option<Self> {
        let of = |program: Program| samples.get(&(figure, program));
        let part = figure.part();
        let programs: BTreeMap<_, _> = part
            .programs()
            .iter()
            .filter_map(|program| Some((*program, Middle::of(of(*program)?.clone())?)))
            .collect();
        let target = figure.target();
        let mut worst: Option<(f64, Option<Ratio>)> = None;
        for own in part.own() {
            let ratio = match target.against {
                None => None,
                Some(to) => {
                    let pairs = of(*own)?.iter().zip(of(to)?);
                    let middle = Middle::of(pairs.map(|(own, other)| own / other).collect())?;
                    Some(Ratio { of: *own, to, middle })
                }
            };
            let reached = ratio.as_ref().map_or(programs.get(own)?, |ratio| &ratio.middle).median;
            if worst.as_ref().is_none_or(|(most, _)| reached > *most) {
                worst = Some((reached, ratio));
            }
        }
        let (reached, ratio) = worst?;
        let verdict = Verdict::of(reached, &target);
        Some(Self { figure, unit: figure.unit(), programs, ratio, target: target.bound, verdict })
    }

    fn line(&self) -> String {
        let mut line = format!("| {} |", self.figure.label());
        for program in self.figure.part().programs() {
            let cell =
                self.programs.get(program).map(|middle| format!("{} {}", short(middle.median), self.unit));
            // INVARIANT: writing to a string does not fail.
            let _ = write!(line, " {} |", cell.as_deref().unwrap_or_default().trim_end());
        }
        let ratio = self.ratio.as_ref().map(|Ratio { of, to, middle }| {
            let [low, high] = middle.quartiles;
            let is_worst = self.figure.part().own().len() > 1;
            let of = if is_worst { format!("{}: ", of.name()) } else { String::new() };
            format!("{of}{:.2} × {} ({low:.2} to {high:.2})", middle.median, to.name())
        });
        let target = self.target.map(|bound| match bound {
            Bound::AtMost(most) => format!("≤ {}", short(most)),
            Bound::AtLeast(least) => format!("≥ {}", short(least)),
        });
        let target = target.unwrap_or_default();
        let _ = write!(line, " {} | {target} | {} |", ratio.unwrap_or_default(), self.verdict.label());
        line
    }
}

impl Report {
    /// Compares the samples with the targets.
    pub(crate) fn new(machine: Machine, samples: &Samples) -> Self {
        Self {
            machine,
            rows: Figure::ALL.into_iter().filter_map(|figure| Row::new(figure, samples)).collect(),
        }
    }

    /// Whether a figure is so far off that it cannot be noise.
    pub(crate) fn is_gross(&self) -> bool {
        self.rows.iter().any(|row| row.verdict == Verdict::GrosslyMissed)
    }

    /// The tables for people, in Markdown.
    pub(crate) fn table(&self) -> String {
        let mut lines = Vec::new();
        for part in Part::ALL {
            let rows: Vec<_> = self.rows.iter().filter(|row| row.figure.part() == part).collect();
            if rows.is_empty() {
                continue;
            }
            let names: Vec<_> = part.programs().iter().map(|program| program.name()).collect();
            lines.push(format!("| median of | {} | ratio (middle half) | target | |", names.join(" | ")));
            lines.push(format!("| --- |{} ---: | ---: | --- |", " ---: |".repeat(names.len())));
            lines.extend(rows.into_iter().map(Row::line));
            lines.push(String::new());
        }
        let cores = match &self.machine.cores {
            Cores::Pinned(core) => format!("pinned to core {core}"),
            Cores::Unpinned(reason) => format!("NOT PINNED: {reason}"),
        };
        lines.push(format!("{}, {}, {cores}\n", self.machine.architecture, self.machine.processor));
        lines.join("\n")
    }
}

/// Three digits, more or less.
fn short(value: f64) -> String {
    match value {
        value if value.fract() == 0.0 => format!("{value:.0}"),
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}

/// The value below which `share` of the sorted samples lie, between two samples in proportion.
fn quantile(samples: &[f64], share: f64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 samples")]
    let place = share * samples.len().checked_sub(1)? as f64;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between nought and the last index"
    )]
    let (low, high) = (samples.get(place.floor() as usize)?, samples.get(place.ceil() as usize)?);
    Some(low + (high - low) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_lies_between_the_samples_around_it() {
        for (name, samples, share, expected) in [
            ("none", vec![], 0.5, None),
            ("one", vec![3.0], 0.5, Some(3.0)),
            ("odd", vec![1.0, 2.0, 9.0], 0.5, Some(2.0)),
            ("even", vec![1.0, 2.0, 4.0, 9.0], 0.5, Some(3.0)),
            ("quarter", vec![1.0, 2.0, 3.0, 4.0, 5.0], 0.25, Some(2.0)),
        ] {
            assert_eq!(quantile(&samples, share), expected, "{name}");
        }
    }

    fn report(fresh: f64, connections: f64) -> Report {
        let samples = Samples::from([
            // The ratio is taken round by round: a slow round slows both.
            ((Figure::FreshCpu, Program::Floor), vec![10.0, 20.0, 30.0]),
            ((Figure::FreshCpu, Program::Authorizer), vec![10.0 * fresh, 20.0 * fresh, 30.0 * fresh]),
            ((Figure::Connections, Program::Authorizer), vec![connections]),
            ((Figure::Binary, Program::Authorizer), vec![3.456]),
        ]);
        let machine =
            Machine { architecture: "x86_64", processor: "a processor".into(), cores: Cores::Pinned(3) };
        Report::new(machine, &samples)
    }

    #[test]
    fn the_table_tells_what_is_met() {
        insta::assert_snapshot!(report(1.25, 1.0).table(), @"
        | median of | echo | floor | authorizer | ratio (middle half) | target | |
        | --- | ---: | ---: | ---: | ---: | ---: | --- |
        | CPU, fresh token |  | 20 µs | 25 µs | 1.25 × floor (1.25 to 1.25) | ≤ 1.10 | MISSED |
        | runtime API connections |  |  | 1 |  | ≤ 1 | met |
        | binary |  |  | 3.46 MB |  |  |  |

        x86_64, a processor, pinned to core 3
        ");
    }

    #[test]
    fn only_a_gross_miss_is_gross() {
        for (name, fresh, connections, gross) in [
            ("all met", 1.05, 1.0, false),
            ("missed", 1.25, 1.0, false),
            ("ratio grossly missed", 1.6, 1.0, true),
            ("a second connection", 1.05, 2.0, true),
        ] {
            assert_eq!(report(fresh, connections).is_gross(), gross, "{name}");
        }
    }
}
