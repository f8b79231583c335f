//! The rounds of a measurement. Each takes one sample of every program, so a disturbance of the machine affects all of
//! them.

use std::{
    collections::BTreeMap,
    ops::Range,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};

use crate::{
    call::Call,
    cores::Cores,
    figure::{Figure, Program, SLOW_KEYS},
    function::Function,
};
use bench::issuer::{CLIENT_ID, Issuer, USER_POOL_ID};
use test_support::Stub;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// Sets of fresh processes for the warm figures.
    pub(crate) runs: usize,
    /// Samples from each set.
    pub(crate) batches: usize,
    /// Calls of each kind for one sample.
    pub(crate) calls: usize,
    /// Cold starts of each program.
    pub(crate) starts: usize,
}

impl Plan {
    /// A third of a minute.
    pub(crate) const QUICK: Self = Self { runs: 5, batches: 10, calls: 250, starts: 60 };

    /// A minute or two.
    pub(crate) const FULL: Self = Self { runs: 15, batches: 10, calls: 500, starts: 100 };
}

/// Decisions before peak memory is read, each on a token of its own.
const DECISIONS: usize = 10_000;

/// Calls before the first sample of a process.
pub(crate) const WARM_UP: usize = 200;

/// The scopes of the large table.
const WIDE_SCOPES: usize = 50;

/// The samples of each figure of each program, in the order of the rounds.
pub(crate) type Samples = BTreeMap<(Figure, Program), Vec<f64>>;

/// The programs, what they are given, and what came out so far.
pub(crate) struct Bench {
    programs: Vec<(Program, PathBuf)>,
    cores: Cores,
    public_key: String,
    jwks: Stub,
    slow_jwks: Stub,
    fresh: Vec<String>,
    few_scopes: Vec<String>,
    all_scopes: Vec<String>,
    malformed: Vec<String>,
    samples: Samples,
}

impl Bench {
    /// Draws keys and signs tokens for all that follows.
    pub(crate) fn prepare(programs: Vec<(Program, PathBuf)>, cores: Cores, plan: Plan) -> Result<Self> {
        let issuer = Issuer::generate();
        let has_wide = programs.iter().any(|(program, _)| *program == Program::Wide);
        let wide = if has_wide { WARM_UP + plan.batches * plan.calls } else { 0 };
        Ok(Self {
            programs,
            cores,
            public_key: issuer.public_key(),
            jwks: issuer.serve_jwks(Duration::ZERO),
            slow_jwks: issuer.serve_jwks(SLOW_KEYS),
            fresh: issuer.fresh_events(DECISIONS, "inventory/read inventory/write")?,
            few_scopes: issuer.fresh_events(wide, &wide_scopes(2))?,
            all_scopes: issuer.fresh_events(wide, &wide_scopes(WIDE_SCOPES))?,
            malformed: issuer.malformed_events()?,
            samples: Samples::new(),
        })
    }

    /// Takes all samples.
    pub(crate) fn run(mut self, plan: Plan) -> Result<Samples> {
        for round in 0..plan.starts {
            for (program, path) in in_turn(&self.programs, round) {
                if program == Program::Wide {
                    continue;
                }
                self.cold_start(program, &path)
                    .with_context(|| format!("cold start of {}", program.name()))?;
            }
        }
        for _ in 0..plan.runs {
            self.warm(plan)?;
        }
        for (program, path) in self.programs.clone() {
            if program == Program::Wide {
                continue;
            }
            self.memory(program, &path).with_context(|| format!("memory of {}", program.name()))?;
        }
        Ok(self.samples)
    }

    /// From exec to the first answer, the event waiting all along.
    fn cold_start(&mut self, program: Program, path: &Path) -> Result<()> {
        let mut function = self.start(program, path, &self.jwks, true)?;
        let answer = function.answer()?;
        Call::Fresh.check(program, &answer.outcome)?;
        let wall = answer.at.duration_since(function.started());
        let cpu = function.cpu()?;
        self.add(Figure::ColdWall, program, milliseconds(wall));
        self.add(Figure::ColdCpu, program, milliseconds(cpu));
        drop(function);
        if program == Program::Authorizer {
            let mut function = self.start(program, path, &self.slow_jwks, true)?;
            let answer = function.answer()?;
            Call::Fresh.check(program, &answer.outcome)?;
            let wall = answer.at.duration_since(function.started());
            self.add(Figure::ColdWallSlowKeys, program, milliseconds(wall));
        }
        let mut function = self.start(program, path, &self.jwks, false)?;
        // Idle: all work before the first event is done.
        function.cpu()?;
        let answer = function.invoke(self.fresh.first().context("no events")?)?;
        Call::Fresh.check(program, &answer.outcome)?;
        self.add(Figure::FirstCall, program, milliseconds(answer.took));
        Ok(())
    }

    /// CPU for each call, one set of processes taking turns.
    fn warm(&mut self, plan: Plan) -> Result<()> {
        let mut functions = Vec::new();
        let has_wide = self.programs.iter().any(|(program, _)| *program == Program::Wide);
        for (program, path) in self.programs.clone() {
            let mut function = self.start(program, &path, &self.jwks, false)?;
            let events = if program == Program::Wide { &self.all_scopes } else { &self.fresh };
            batch(program, &mut function, Call::Fresh, events, 0..WARM_UP)?;
            functions.push((program, function));
        }
        for number in 0..plan.batches {
            for (program, function) in &mut functions {
                let first = WARM_UP + number * plan.calls;
                let fresh = (Call::Fresh, Figure::FreshCpu, &self.fresh);
                let malformed = (Call::Malformed, Figure::MalformedCpu, &self.malformed);
                let few = (Call::Fresh, Figure::FewScopesCpu, &self.few_scopes);
                let all = (Call::Fresh, Figure::AllScopesCpu, &self.all_scopes);
                let sampled = match program {
                    Program::Wide => vec![few, all],
                    // The floor's handling of a malformed token has no meaning.
                    Program::Floor => vec![fresh],
                    Program::Echo | Program::Authorizer => vec![fresh, malformed],
                    Program::Inventory
                    | Program::Order
                    | Program::Payment
                    | Program::Report
                    | Program::Token
                    | Program::Local => vec![],
                };
                for (call, figure, events) in sampled {
                    let cpu = batch(*program, function, call, events, first..first + plan.calls)
                        .with_context(|| format!("{call:?} calls of {}", program.name()))?;
                    let cpu = cpu.as_secs_f64() * 1e6 / count(plan.calls);
                    add(&mut self.samples, figure, *program, cpu);
                    if has_wide && *program == Program::Authorizer && figure == Figure::FreshCpu {
                        add(&mut self.samples, Figure::FewScopesCpu, *program, cpu);
                        add(&mut self.samples, Figure::AllScopesCpu, *program, cpu);
                    }
                }
            }
            functions.rotate_left(1);
        }
        for (program, function) in functions.into_iter().filter(|(program, _)| *program != Program::Wide) {
            self.add(Figure::Connections, program, count(function.connections()));
        }
        Ok(())
    }

    fn memory(&mut self, program: Program, path: &Path) -> Result<()> {
        let mut function = self.start(program, path, &self.jwks, false)?;
        batch(program, &mut function, Call::Fresh, &self.fresh, 0..DECISIONS)?;
        #[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 bytes")]
        self.add(Figure::PeakRss, program, function.peak_rss()? as f64 / 1e6);
        Ok(())
    }

    fn start(&self, program: Program, path: &Path, jwks: &Stub, at_once: bool) -> Result<Function> {
        let mut vars = match program {
            Program::Echo
            | Program::Inventory
            | Program::Order
            | Program::Payment
            | Program::Report
            | Program::Token
            | Program::Local => vec![],
            Program::Floor => vec![("FLOOR_PUBLIC_KEY", self.public_key.clone())],
            Program::Authorizer | Program::Wide => vec![
                ("USER_POOL_ID", USER_POOL_ID.to_owned()),
                ("CLIENT_IDS", CLIENT_ID.to_owned()),
                ("JWKS_URI", jwks.url("/jwks.json")),
            ],
        };
        if program == Program::Authorizer {
            vars.push(("ROUTES", include_str!("../../routes.json").to_owned()));
        }
        let first = if at_once { self.fresh.first().map(String::as_str) } else { None };
        Function::start(path, &vars, first, &self.cores)
    }

    fn add(&mut self, figure: Figure, program: Program, sample: f64) {
        add(&mut self.samples, figure, program, sample);
    }
}

/// Calls with these events, as often as it takes: the CPU time that they took.
fn batch(
    program: Program,
    function: &mut Function,
    call: Call,
    events: &[String],
    numbers: Range<usize>,
) -> Result<Duration> {
    let calls = numbers.len();
    let events = match call {
        Call::Fresh => events.get(numbers).context("not enough tokens")?,
        Call::Malformed | Call::Read => events,
    };
    let before = function.cpu()?;
    for event in events.iter().cycle().take(calls) {
        call.check(program, &function.invoke(event)?.outcome)?;
    }
    Ok(function.cpu()?.saturating_sub(before))
}

/// The programs, another one first in each round.
pub(crate) fn in_turn(programs: &[(Program, PathBuf)], round: usize) -> Vec<(Program, PathBuf)> {
    let mut turned = programs.to_vec();
    turned.rotate_left(round.checked_rem(programs.len()).unwrap_or_default());
    turned
}

/// Keeps a sample.
pub(crate) fn add(samples: &mut Samples, figure: Figure, program: Program, sample: f64) {
    samples.entry((figure, program)).or_default().push(sample);
}

/// The first of the large table's scopes, as `examples/wide.rs` names them.
fn wide_scopes(many: usize) -> String {
    (0..many).map(|number| format!("wide/s{number:02}")).collect::<Vec<_>>().join(" ")
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^52")]
pub(crate) fn count(number: usize) -> f64 {
    number as f64
}
