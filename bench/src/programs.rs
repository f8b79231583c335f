//! The measured binaries: building them as they are deployed, finding them, and their sizes.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use flate2::{Compression, write::DeflateEncoder};

use crate::{
    figure::{Figure, Part, Program},
    measure::Samples,
};

/// What a zip file with one entry named `bootstrap` adds to the deflated bytes: its local header, its directory
/// entry and the end record.
const ZIP_OVERHEAD: usize = 30 + 46 + 22 + 2 * "bootstrap".len();

/// The binaries that are measured.
pub(crate) struct Built {
    /// The authorizer and what it is compared with.
    pub(crate) authorizer: Vec<(Program, PathBuf)>,
    /// The four functions, and echo.
    pub(crate) functions: Vec<(Program, PathBuf)>,
    /// The shared token cache, and echo.
    pub(crate) hits: Vec<(Program, PathBuf)>,
    /// The whole system.
    pub(crate) local: Option<PathBuf>,
}

/// Builds the binaries, `all` of them or what the authorizer needs. A given authorizer is taken as it is.
pub(crate) fn build(authorizer: Option<&Path>, all: bool) -> Result<Built> {
    let exe = std::env::current_exe()?;
    let target = exe.ancestors().nth(2).context("this program is not in a target directory")?;
    let deploy = target.join("deploy");
    // Separately, or Cargo would give both the features that either enables.
    cargo_build("deploy", &["--package", "bench", "--bins"])?;
    if authorizer.is_none() {
        cargo_build("deploy", &["--package", "authorizer"])?;
    }
    let authorizer = authorizer.map_or_else(|| deploy.join(Program::Authorizer.name()), Path::to_path_buf);
    let found = |program: Program| (program, deploy.join(program.name()));
    let mut built = Built {
        authorizer: vec![found(Program::Echo), found(Program::Floor), (Program::Authorizer, authorizer)],
        functions: Vec::new(),
        hits: Vec::new(),
        local: None,
    };
    if all {
        // An example, so the reference programs do not get the features that the authorizer's library enables.
        cargo_build("deploy", &["--package", "bench", "--example", "wide"])?;
        built.authorizer.push((Program::Wide, deploy.join("examples").join(Program::Wide.name())));
        // As cargo-lambda builds by default.
        cargo_build("deploy", &["--package", "handlers", "--config", "profile.deploy.lto=\"thin\""])?;
        cargo_build("deploy", &["--package", "tokens", "--config", "profile.deploy.lto=\"thin\""])?;
        built.hits = Part::Hits.programs().iter().copied().map(found).collect();
        built.functions = Part::Functions.programs().iter().copied().map(found).collect();
        cargo_build("release", &["--package", "local"])?;
        built.local = Some(target.join("release").join(Program::Local.name()));
    }
    Ok(built)
}

fn cargo_build(profile: &str, what: &[&str]) -> Result<()> {
    let status = Command::new("cargo")
        .args(["build", "--profile", profile, "--locked", "--quiet"])
        .args(what)
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "`{}` does not build", what.join(" "));
    Ok(())
}

/// The sizes of all binaries, as they are and as zip files.
pub(crate) fn sizes(built: &Built) -> Result<Samples> {
    let mut samples = Samples::new();
    for (program, path) in &built.authorizer {
        let (plain, zipped) = sizes_of(path).with_context(|| path.display().to_string())?;
        samples.insert((Figure::Binary, *program), vec![megabytes(plain)]);
        samples.insert((Figure::Zip, *program), vec![megabytes(zipped)]);
    }
    for (program, path) in &built.functions {
        let (_, zipped) = sizes_of(path).with_context(|| path.display().to_string())?;
        samples.insert((Figure::FunctionZip, *program), vec![megabytes(zipped)]);
    }
    Ok(samples)
}

fn sizes_of(path: &Path) -> Result<(usize, usize)> {
    let bytes = fs::read(path)?;
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&bytes)?;
    Ok((bytes.len(), encoder.finish()?.len() + ZIP_OVERHEAD))
}

#[expect(clippy::cast_precision_loss, reason = "no binary is near 2^52 bytes")]
fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
