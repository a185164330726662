// Set up for each file of tests while probes say which mutants the file reaches: adds a line of JSON to REACHED.
import { appendFileSync } from "node:fs";
import { relative } from "node:path";
import { afterAll, expect } from "vitest";

const reached = new Set();
globalThis.mutantsReached = reached;
const from = performance.now();
afterAll(() => {
  const file = relative(process.cwd(), expect.getState().testPath);
  const ms = Math.round(performance.now() - from);
  appendFileSync(process.env.REACHED, `${JSON.stringify({ file, ms, mutants: [...reached] })}\n`);
});
