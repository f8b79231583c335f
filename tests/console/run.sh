#!/bin/sh
# Starts `local` on a free port and uses its console in Chromium, which is installed where it is missing.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
[ -x /usr/bin/chromium ] || { apt-get update -qq && apt-get install -y -qq chromium; }
cd "$root/tests/console"
npm ci --no-audit --no-fund --silent
cd "$root"
cargo build -q -p local
folder=$(mktemp -d)
"${CARGO_TARGET_DIR:-target}/debug/local" --port 0 --clients-file "$folder/clients.json" >"$folder/log" &
running=$!
trap 'kill $running 2>/dev/null || true; rm -rf "$folder"' EXIT
address=
for _ in $(seq 150); do
  address=$(sed -n 's/^ *console *\(http[^ ]*\)$/\1/p' "$folder/log")
  [ -z "$address" ] || break
  kill -0 $running
  sleep 0.2
done
[ -n "$address" ] || { echo "local did not start" >&2; exit 1; }
node tests/console/test.mjs "$address"
