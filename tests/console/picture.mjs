// Takes the picture of the console in README.md, in few colours, so that it stays small.
//
//   node picture.mjs PATH-OF-LOCAL PICTURE.png

import { writeFileSync } from "node:fs";
import { crc32, deflateSync } from "node:zlib";
import { browse, start } from "./stack.mjs";

const [, , binary, path] = process.argv;
const [width, height] = [1280, 600];
const stack = await start(binary);
const { context, close } = await browse({ viewport: { width, height }, colorScheme: "light" });
try {
  const page = context.pages()[0];
  await page.goto(stack.address.href);
  await page.waitForFunction(() => document.querySelector("#token").value);
  for (const route of ["GET /inventory", "POST /orders", "GET /orders/{id}", "PATCH /orders/{id}"]) {
    await page.selectOption("#route", { label: route });
    await page.click("#send");
    await page.locator("#rows li:first-child").filter({ hasText: route }).filter({ hasText: "storefront" }).waitFor();
    // The answer has the order's id, which is in the next path.
    await page.waitForFunction(() => document.querySelector("#send").ariaBusy !== "true");
  }
  await page.locator("#rows summary").filter({ hasText: "refused 403" }).first().click();
  await page.evaluate(() => document.activeElement.blur());
  const picture = (await page.screenshot()).toString("base64");
  await page.goto("about:blank");
  writeFileSync(path, encoded(await page.evaluate(reduced, picture)));
} finally {
  await close();
  await stack.stop();
}

/** A picture in its 256 commonest colours, each pixel in the nearest of them. Runs in the page. */
async function reduced(picture) {
  const bytes = Uint8Array.from(atob(picture), (char) => char.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes]));
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
  canvas.drawImage(bitmap, 0, 0);
  const words = new Uint32Array(canvas.getImageData(0, 0, bitmap.width, bitmap.height).data.buffer);
  const counts = new Map();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const rgb = (word) => [word & 255, (word >> 8) & 255, (word >> 16) & 255];
  const palette = [...counts].sort(([, one], [, other]) => other - one).slice(0, 256).map(([word]) => rgb(word));
  const far = (one, other) => one.reduce((sum, part, at) => sum + (part - other[at]) ** 2, 0);
  const nearest = new Map();
  for (const word of counts.keys()) {
    const distances = palette.map((color) => far(color, rgb(word)));
    nearest.set(word, distances.indexOf(Math.min(...distances)));
  }
  return { palette, pixels: Array.from(words, (word) => nearest.get(word)) };
}

/** PNG with a palette. */
function encoded({ palette, pixels }) {
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, check]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3], 8);
  const lines = Array.from({ length: height }, (_, at) => Buffer.from([0, ...pixels.slice(at * width, (at + 1) * width)]));
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", head),
    chunk("PLTE", Buffer.from(palette.flat())),
    chunk("IDAT", deflateSync(Buffer.concat(lines), { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}
