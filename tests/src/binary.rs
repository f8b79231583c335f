//! Owns where the real binaries are: built on first use, with the profile and into the folder of the running test.

use std::{
    env,
    path::PathBuf,
    process::Command,
    sync::{Mutex, PoisonError},
};

/// One build at a time; a second one of the same binary finds it there.
static BUILDING: Mutex<()> = Mutex::new(());

/// The binary `name` of the package of the same name.
pub fn built(package: &str, name: &str) -> PathBuf {
    let _one = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
    // target/<profile>/deps/<this test>
    let test = env::current_exe().expect("the test's own path");
    let profile = test.ancestors().nth(2).expect("a folder of the profile");
    let target = profile.parent().expect("a target folder");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    cargo.args(["build", "--quiet", "--package", package, "--bin", name, "--target-dir"]).arg(target);
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    assert!(cargo.status().expect("cargo runs").success(), "cargo builds {name}");
    profile.join(name).with_extension(env::consts::EXE_EXTENSION)
}
