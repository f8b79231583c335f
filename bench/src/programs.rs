//! Owns the binaries: building them as they are deployed, finding them, and their sizes.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};
use flate2::{Compression, write::DeflateEncoder};

use crate::{
    figure::{Figure, Program},
    measure::Samples,
};

/// What a zip file with one entry named `bootstrap` adds to the deflated bytes: its local header, its directory
/// entry and the end record.
const ZIP_OVERHEAD: usize = 30 + 46 + 22 + 2 * "bootstrap".len();

/// Builds the release binaries and tells where they are. A given authorizer is taken as it is.
pub(crate) fn build(authorizer: Option<&Path>) -> Result<Vec<(Program, PathBuf)>> {
    let release = std::env::current_exe()?
        .ancestors()
        .nth(2)
        .context("this program is not in a target directory")?
        .join("release");
    // Apart, or Cargo would give both the features that either asks for.
    cargo_build("bench")?;
    if authorizer.is_none() {
        cargo_build("authorizer")?;
    }
    let authorizer = authorizer.map_or_else(|| release.join(Program::Authorizer.name()), Path::to_path_buf);
    let reference = |program: Program| (program, release.join(program.name()));
    Ok(vec![reference(Program::Echo), reference(Program::Floor), (Program::Authorizer, authorizer)])
}

fn cargo_build(package: &str) -> Result<()> {
    let status = Command::new("cargo")
        .args(["build", "--release", "--quiet", "--package", package])
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "`{package}` does not build");
    Ok(())
}

/// The sizes of all binaries, as they are and as zip files.
pub(crate) fn sizes(programs: &[(Program, PathBuf)]) -> Result<Samples> {
    let mut samples = Samples::new();
    for (program, path) in programs {
        let (plain, zipped) = sizes_of(path).with_context(|| path.display().to_string())?;
        samples.insert((Figure::Binary, *program), vec![megabytes(plain)]);
        samples.insert((Figure::Zip, *program), vec![megabytes(zipped)]);
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
