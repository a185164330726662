/**
 * The files of the unit ring share the modules that their process has loaded. A file that replaces modules, or counts
 * the work of modules (support/work.ts), needs modules of its own, and those after it need others again.
 */
import { readFileSync } from "node:fs";
import { expect, vi } from "vitest";

const OWN = /\bvi\.(?:mock|doMock)\(|\/support\/work\.js"/;

const state = globalThis as { modulesOfOneFile?: boolean };
const own = OWN.test(readFileSync(expect.getState().testPath!, "utf8"));
if (own || state.modulesOfOneFile) vi.resetModules();
state.modulesOfOneFile = own;
