// A `local` and a browser, started and stopped.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

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

/** Opens a browser with a profile of its own, and a way to close both. */
export async function browse(options = {}) {
  const profile = mkdtempSync(join(tmpdir(), "chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    viewport: { width: 1280, height: 900 },
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
    ...options,
  });
  const close = async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  };
  return { context, close };
}
