//! The figures, the programs that they are measured of, and the targets.

use std::time::Duration;

use serde::Serialize;

/// A measured program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Program {
    /// The least a Rust function can do (`bin/echo.rs`).
    Echo,
    /// The least a Rust authorizer can do (`bin/floor.rs`).
    Floor,
    /// The authorizer.
    Authorizer,
    /// The authorizer's library with a large table (`examples/wide.rs`).
    Wide,
    /// The four functions.
    Inventory,
    Order,
    Payment,
    Report,
    /// The shared token cache.
    Token,
    /// The whole system on a laptop.
    Local,
}

impl Program {
    /// The name of its binary.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Floor => "floor",
            Self::Authorizer => "authorizer",
            Self::Wide => "wide",
            Self::Inventory => "inventory",
            Self::Order => "order",
            Self::Payment => "payment",
            Self::Report => "report",
            Self::Token => "token",
            Self::Local => "local",
        }
    }
}

/// A part of the report: figures of the same programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Authorizer,
    Wide,
    Functions,
    Hits,
    Local,
}

impl Part {
    pub(crate) const ALL: [Self; 5] =
        [Self::Authorizer, Self::Wide, Self::Functions, Self::Hits, Self::Local];

    /// Its columns.
    pub(crate) const fn programs(self) -> &'static [Program] {
        use Program::{Authorizer, Echo, Floor, Inventory, Local, Order, Payment, Report, Token, Wide};
        match self {
            Self::Authorizer => &[Echo, Floor, Authorizer],
            Self::Wide => &[Authorizer, Wide],
            Self::Functions => &[Echo, Inventory, Order, Payment, Report],
            Self::Hits => &[Echo, Token],
            Self::Local => &[Local],
        }
    }

    /// The programs that have targets; the others are for comparison.
    pub(crate) const fn own(self) -> &'static [Program] {
        use Program::{Authorizer, Inventory, Local, Order, Payment, Report, Token, Wide};
        match self {
            Self::Authorizer => &[Authorizer],
            Self::Wide => &[Wide],
            Self::Functions => &[Inventory, Order, Payment, Report],
            Self::Hits => &[Token],
            Self::Local => &[Local],
        }
    }
}

/// A property of a program, with one sample or many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Figure {
    FreshCpu,
    MalformedCpu,
    ColdCpu,
    ColdWall,
    ColdWallSlowKeys,
    FirstCall,
    PeakRss,
    Connections,
    Binary,
    Zip,
    FewScopesCpu,
    AllScopesCpu,
    FunctionCpu,
    FunctionWall,
    FunctionZip,
    HitCpu,
    HitWall,
    LocalTime,
    LocalRate,
}

/// How long the slower JWKS endpoint takes to answer.
pub(crate) const SLOW_KEYS: Duration = Duration::from_millis(20);

impl Figure {
    pub(crate) const ALL: [Self; 19] = [
        Self::FreshCpu,
        Self::MalformedCpu,
        Self::ColdCpu,
        Self::ColdWall,
        Self::ColdWallSlowKeys,
        Self::FirstCall,
        Self::PeakRss,
        Self::Connections,
        Self::Binary,
        Self::Zip,
        Self::FewScopesCpu,
        Self::AllScopesCpu,
        Self::FunctionCpu,
        Self::FunctionWall,
        Self::FunctionZip,
        Self::HitCpu,
        Self::HitWall,
        Self::LocalTime,
        Self::LocalRate,
    ];

    /// The part of the report that it is in.
    pub(crate) const fn part(self) -> Part {
        match self {
            Self::FreshCpu
            | Self::MalformedCpu
            | Self::ColdCpu
            | Self::ColdWall
            | Self::ColdWallSlowKeys
            | Self::FirstCall
            | Self::PeakRss
            | Self::Connections
            | Self::Binary
            | Self::Zip => Part::Authorizer,
            Self::FewScopesCpu | Self::AllScopesCpu => Part::Wide,
            Self::FunctionCpu | Self::FunctionWall | Self::FunctionZip => Part::Functions,
            Self::HitCpu | Self::HitWall => Part::Hits,
            Self::LocalTime | Self::LocalRate => Part::Local,
        }
    }

    /// What the table calls it.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::FreshCpu => "CPU, fresh token",
            Self::MalformedCpu => "CPU, malformed token",
            Self::ColdCpu | Self::FunctionCpu => "cold start, CPU",
            Self::ColdWall => "cold start, wall, JWKS 0 ms",
            Self::ColdWallSlowKeys => "cold start, wall, JWKS 20 ms",
            Self::FirstCall => "first call after init",
            Self::PeakRss => "peak RSS, 10,000 decisions",
            Self::Connections => "runtime API connections",
            Self::Binary => "binary",
            Self::Zip | Self::FunctionZip => "zip",
            Self::FewScopesCpu => "CPU, fresh token, 2 of 50 scopes, 300 routes",
            Self::AllScopesCpu => "CPU, fresh token, 50 of 50 scopes, 300 routes",
            Self::FunctionWall => "cold start, wall",
            Self::HitCpu => "CPU, a hit of the token cache",
            Self::HitWall => "wall, a hit of the token cache",
            Self::LocalTime => "GET /inventory, one after the other",
            Self::LocalRate => "GET /inventory, 16 connections",
        }
    }

    /// The unit of its samples. MB is a million bytes.
    pub(crate) const fn unit(self) -> &'static str {
        match self {
            Self::FreshCpu
            | Self::MalformedCpu
            | Self::FewScopesCpu
            | Self::AllScopesCpu
            | Self::HitCpu
            | Self::HitWall => "µs",
            Self::ColdCpu
            | Self::ColdWall
            | Self::ColdWallSlowKeys
            | Self::FirstCall
            | Self::FunctionCpu
            | Self::FunctionWall
            | Self::LocalTime => "ms",
            Self::PeakRss | Self::Binary | Self::Zip | Self::FunctionZip => "MB",
            Self::LocalRate => "/s",
            Self::Connections => "",
        }
    }

    /// The targets of our programs.
    ///
    /// `--check` fails at a gross limit. On a machine with four runnable threads for each core, medians of CPU ratios
    /// were still within a tenth of each other, so their limits have a quarter of slack or more. They still catch the
    /// worst regressions seen: a multi-threaded runtime (twice the CPU), the platform's certificate store (four times the
    /// cold start). Sizes and counts do not depend on load and have little slack; wall times on a shared machine vary
    /// too much for a limit.
    pub(crate) const fn target(self) -> Target {
        match self {
            Self::FreshCpu => Target::ratio(Program::Floor, 1.10).gross(1.4),
            Self::MalformedCpu => Target::ratio(Program::Echo, 1.2).gross(1.5),
            Self::ColdCpu => Target::ratio(Program::Echo, 1.5).gross(2.1),
            Self::ColdWall => Target::median(4.0),
            Self::ColdWallSlowKeys => Target::median(24.0),
            Self::FirstCall => Target::median(1.0),
            Self::PeakRss => Target::median(8.0).gross(10.0),
            Self::Connections => Target::median(1.0).gross(1.0),
            Self::Binary | Self::FunctionWall | Self::HitWall => Target::NONE,
            Self::HitCpu => Target { against: Some(Program::Echo), ..Target::NONE },
            Self::Zip => Target::median(2.5).gross(3.0),
            Self::FewScopesCpu | Self::AllScopesCpu => Target::ratio(Program::Authorizer, 1.3),
            // Half of what a first, rougher measurement gave for a function that read the system's certificates.
            Self::FunctionCpu => Target::ratio(Program::Echo, 1.65),
            Self::FunctionZip => Target::median(6.0),
            Self::LocalTime => Target::median(0.5),
            Self::LocalRate => Target::at_least(5_000.0),
        }
    }
}

/// The most or the least that a figure may be: of the median, or of its ratio to another program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) against: Option<Program>,
    pub(crate) bound: Option<Bound>,
    /// Beyond this it cannot be noise.
    pub(crate) gross: Option<f64>,
}

/// Whether a figure must be below or above its limit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Bound {
    pub(crate) const fn holds(self, reached: f64) -> bool {
        match self {
            Self::AtMost(most) => reached <= most,
            Self::AtLeast(least) => reached >= least,
        }
    }
}

impl Target {
    const NONE: Self = Self { against: None, bound: None, gross: None };

    const fn ratio(against: Program, at_most: f64) -> Self {
        Self { against: Some(against), bound: Some(Bound::AtMost(at_most)), ..Self::NONE }
    }

    const fn median(at_most: f64) -> Self {
        Self { bound: Some(Bound::AtMost(at_most)), ..Self::NONE }
    }

    const fn at_least(least: f64) -> Self {
        Self { bound: Some(Bound::AtLeast(least)), ..Self::NONE }
    }

    const fn gross(self, gross: f64) -> Self {
        Self { gross: Some(gross), ..self }
    }
}
