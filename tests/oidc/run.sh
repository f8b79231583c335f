#!/usr/bin/env bash
# Tries the authorizer against a real OpenID provider, `oidc-provider` from npm at a pinned version. Needs Rust and Node 20 or later.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
npm ci --silent --no-audit --no-fund
cargo build --quiet --package authorizer
exec node check.mjs "$(pwd)/../../target/debug/authorizer"
