import { expect, it } from "vitest";
import { LongProgress } from "../../../../src/cli/output/progress.js";

function shownOn(isTTY: boolean, ...times: readonly number[]): readonly string[] {
  const written: string[] = [];
  let now = 500;
  const write = (text: string | Uint8Array) => written.push(String(text)) > 0;
  const progress = new LongProgress({ isTTY, write }, () => now);
  for (const [index, time] of times.entries()) {
    now = 500 + time;
    progress.show("tried ids of maps", index + 1, 8);
  }
  progress.stop();
  return written;
}

it("shows how far something is after a second, once a second, and takes the line away", () => {
  expect(shownOn(true, 0, 900, 1000, 1500, 2100)).toEqual([
    "\r\u001b[Ktried ids of maps: 37% of 8",
    "\r\u001b[Ktried ids of maps: 62% of 8",
    "\r\u001b[K",
  ]);
});

it("shows nothing of what is short, and nothing where no terminal is", () => {
  expect(shownOn(true, 0, 900)).toEqual([]);
  expect(shownOn(false, 0, 900, 5000)).toEqual([]);
});
