// A `local` that the check starts and stops.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Starts the binary on a port, 0 for any, and resolves once it has printed the console's address. */
export async function start(binary, port = 0) {
  const folder = mkdtempSync(join(tmpdir(), "console-"));
  const child = spawn(binary, ["--port", String(port), "--clients-file", join(folder, "clients.json")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((done) => child.once("exit", done));
  const address = await new Promise((done, failed) => {
    // Read on to the end, so that the pipe never fills.
    createInterface({ input: child.stdout }).on("line", (line) => {
      const found = /^ *console +(http\S+)$/.exec(line);
      if (found) done(new URL(found[1]));
    });
    ended.then((code) => failed(new Error(`local ended with ${code} before it served`)));
  });
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  return { address, stop };
}
