//! Owns what is measured, of which programs, and how good it has to be. How it is measured is left to `measure.rs`.

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
    /// Ours.
    Authorizer,
}

impl Program {
    pub(crate) const ALL: [Self; 3] = [Self::Echo, Self::Floor, Self::Authorizer];

    /// The name of its binary.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::Floor => "floor",
            Self::Authorizer => "authorizer",
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
}

/// How long the slower JWKS endpoint takes to answer.
pub(crate) const SLOW_KEYS: Duration = Duration::from_millis(20);

impl Figure {
    pub(crate) const ALL: [Self; 10] = [
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
    ];

    /// What the table calls it.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::FreshCpu => "CPU, fresh token",
            Self::MalformedCpu => "CPU, malformed token",
            Self::ColdCpu => "cold start, CPU",
            Self::ColdWall => "cold start, wall, JWKS 0 ms",
            Self::ColdWallSlowKeys => "cold start, wall, JWKS 20 ms",
            Self::FirstCall => "first call after init",
            Self::PeakRss => "peak RSS, 10,000 decisions",
            Self::Connections => "runtime API connections",
            Self::Binary => "binary",
            Self::Zip => "zip",
        }
    }

    /// The unit of its samples. MB is a million bytes.
    pub(crate) const fn unit(self) -> &'static str {
        match self {
            Self::FreshCpu | Self::MalformedCpu => "µs",
            Self::ColdCpu | Self::ColdWall | Self::ColdWallSlowKeys | Self::FirstCall => "ms",
            Self::PeakRss | Self::Binary | Self::Zip => "MB",
            Self::Connections => "",
        }
    }

    /// What the authorizer has to reach.
    ///
    /// A gross limit is where `--check` fails. On a machine with four runnable threads for each core, medians of CPU
    /// ratios still came out within a tenth of each other, so theirs leave a quarter of room or more, and still catch
    /// what once cost most: a multi-threaded runtime (twice the CPU), the platform's certificate store (four times the
    /// cold start). Sizes and counts do not depend on load and get little room; wall times on a shared machine can be
    /// anything and get no limit.
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
            Self::Binary => Target::NONE,
            Self::Zip => Target::median(2.5).gross(3.0),
        }
    }
}

/// The most that a figure may be: of the median, or of its ratio to another program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) against: Option<Program>,
    pub(crate) at_most: Option<f64>,
    pub(crate) gross: Option<f64>,
}

impl Target {
    const NONE: Self = Self { against: None, at_most: None, gross: None };

    const fn ratio(against: Program, at_most: f64) -> Self {
        Self { against: Some(against), at_most: Some(at_most), ..Self::NONE }
    }

    const fn median(at_most: f64) -> Self {
        Self { at_most: Some(at_most), ..Self::NONE }
    }

    const fn gross(self, gross: f64) -> Self {
        Self { gross: Some(gross), ..self }
    }
}
