#!/usr/bin/env bash
# Uses the console page as people do, in a real browser. Needs Rust, Node 20 or later and Chromium; CHROMIUM names
# another one than Debian's. With SCREENSHOTS set to a folder, pictures of the page are left there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
npm ci --silent --no-audit --no-fund
cd ../..
cargo build --quiet --package local
exec node tests/console/check.mjs "$PWD/target/debug/local"
