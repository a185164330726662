import { engineCode as codeOf, type EngineBuild, type EngineCode, QUICKJS } from "../../src/sandbox/quickjs/engine.js";
import { QUICKJS_NG_PATCH } from "./quickjs-ng-patch.gen.js";

/** Builds that the tests of the sandbox run on: the one that ships, and another engine of the same interface. */
export const ENGINES = {
  quickjs: QUICKJS,
  "quickjs-ng": { package: "@jitl/quickjs-ng-wasmfile-release-sync", patch: QUICKJS_NG_PATCH },
} as const satisfies Record<string, EngineBuild>;

export type EngineName = keyof typeof ENGINES;

export function engineCode(name: EngineName): EngineCode {
  return codeOf(ENGINES[name]);
}
