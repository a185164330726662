/**
 * The files of a ring share the modules that their process has loaded. A file that replaces modules needs modules of
 * its own; those that count the work of modules share modules that were loaded to be counted.
 */
import { expect, vi } from "vitest";
import { type KindOfModules, neededModules } from "./needed-modules.js";

const state = globalThis as { modulesAre?: KindOfModules };
const needed = neededModules(expect.getState().testPath!);
if (needed === "replaced" || needed !== (state.modulesAre ?? "plain")) vi.resetModules();
state.modulesAre = needed;
