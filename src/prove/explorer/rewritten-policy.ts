import { droppedCalls } from "../../policy/checks/denials.js";
import { type LinkedPolicy, linkPolicy } from "../../policy/linker/linker.js";
import { LinkTime } from "../../policy/syntax/link-time.js";
import { type Files, readUnits, type Unit } from "../../policy/units/units.js";
import { moduleOf, PLACE_STEP, Rewriter } from "../instrument/rewriter.js";
import { EXPLORER } from "./explorer.gen.js";

/** A policy whose operations are calls of the explorer, for one hook. */
export interface RewrittenPolicy {
  readonly linked: LinkedPolicy;
  /** `file:line` of a place that the explorer names; null for none. */
  placeOf(place: number): string | null;
}

const FOLDER = "explored";
const SPECIFIER = "./explorer.js";

/**
 * Rewrites a policy with the files that it imports, and links the result. Throws what linking the policy throws; a
 * policy that links and cannot be rewritten throws POLICY_SYNTAX or POLICY_TOO_LARGE.
 */
export function rewritePolicy(file: string, files: Files, hook: string): RewrittenPolicy {
  const units = readUnits(file, files, new LinkTime(file));
  const prefix = freePrefix(units);
  const watched = droppedCalls(units);
  const texts = new Map<string, string>([[`${FOLDER}/explorer.js`, EXPLORER]]);
  for (const [number, unit] of units.entries()) {
    const rewriter = new Rewriter(unit, number, prefix, SPECIFIER, watched[number]!);
    texts.set(`${FOLDER}/${moduleOf(number).slice(2)}`, rewriter.module());
  }
  const entry =
    `import {run} from "${SPECIFIER}";\n` +
    `import {${hook} as asked} from ${JSON.stringify(moduleOf(units.length - 1))};\n` +
    `export const ${hook}=()=>run(asked);\n`;
  texts.set(`${FOLDER}/entry.js`, entry);
  const read = (name: string): string => texts.get(name) ?? "";
  const linked = linkPolicy(`${FOLDER}/entry.js`, { read, root: FOLDER, hookNames: [hook] });
  return {
    linked,
    placeOf(place) {
      const unit = units[Math.floor(place / PLACE_STEP)];
      return place === 0 || unit === undefined ? null : `${unit.source.file}:${place % PLACE_STEP}`;
    },
  };
}

/** A name that is in no file of the policy. */
function freePrefix(units: readonly Unit[]): string {
  let prefix = "$p";
  for (let number = 0; units.some(({ source }) => source.text.includes(prefix)); number++) prefix = `$p${number}_`;
  return prefix;
}
