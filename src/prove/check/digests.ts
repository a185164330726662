import { hash } from "node:crypto";
import { PROGRAM_BEGINNINGS } from "../../bpf/program-constraints.js";
import { HOOK_NAMES } from "../../hooks/catalogue.js";
import { readInput } from "../../input.js";
import { installed } from "../../installed.js";
import { QUICKJS } from "../../sandbox/quickjs/engine.js";
import { VERSION } from "../../version.js";
import { declarationsOf, INHERITED } from "../facts/declarations.js";
import type { Digests } from "../shared/certificate.js";

/** The digests of what a configuration's certificate is about, apart from its policies. Throws FILE_UNREADABLE. */
export function digestsOf(configuration: string): Digests {
  const declared = HOOK_NAMES.map((hook) => [hook, declarationsOf(hook)]);
  return {
    configuration: hash("sha256", readInput(configuration)),
    declarations: hash("sha256", JSON.stringify([declared, INHERITED, PROGRAM_BEGINNINGS])),
    engine: hash("sha256", Buffer.concat([Buffer.from(VERSION), installed(`${QUICKJS.package}/wasm`).bytes])),
  };
}
