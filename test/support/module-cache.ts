/**
 * The files of a ring share the modules that their process has loaded. A file that replaces modules needs modules of
 * its own; those that count the work of modules (support/work.ts) share modules that were loaded to be counted.
 */
import { readFileSync } from "node:fs";
import { expect, vi } from "vitest";

const state = globalThis as { modulesAre?: "plain" | "counted" | "replaced" };
const text = readFileSync(expect.getState().testPath!, "utf8");
const counts = text.includes('/support/work.js"') ? "counted" : "plain";
const needed = /\bvi\.(?:mock|doMock)\(/.test(text) ? "replaced" : counts;
if (needed === "replaced" || needed !== (state.modulesAre ?? "plain")) vi.resetModules();
state.modulesAre = needed;
