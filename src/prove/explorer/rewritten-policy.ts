import type { PolicyFiles } from "../../engine/load/loader.js";
import { droppedCalls } from "../../policy/checks/denials.js";
import { type LinkedPolicy, linkPolicy } from "../../policy/linker/linker.js";
import { LinkTime } from "../../policy/syntax/link-time.js";
import { readUnits, type Unit } from "../../policy/units/units.js";
import { COMPILE_UNITS } from "../../sandbox/shared/limits.js";
import { moduleOf, PLACE_STEP, Rewriter } from "../instrument/rewriter.js";
import { EXPLORER_FILE, explorerNames, FOLDER } from "./explorer-library.js";
import { isStateless } from "./stateless.js";

/** A policy whose operations are calls of the explorer, for one hook. */
export interface RewrittenPolicy {
  /** Its text is taken after the explorer's: see explorer-library.ts. */
  readonly linked: LinkedPolicy;
  /** `file:line` of a place that the explorer names; null for none. */
  placeOf(place: number): string | null;
}

const SPECIFIER = "./explorer.js";

/** The files of a policy, and how places name them. */
export interface PolicySource extends PolicyFiles {
  /** What places have before the names of its files; nothing if absent. */
  readonly folder?: string;
}

/** A property: a function that a file exports under a name. */
export interface PropertySource extends PolicySource {
  readonly name: string;
}

/**
 * Rewrites policies, and a property of their decisions, with the files that they import, and links the result, in which
 * they are asked in order. A policy that is asked several times is rewritten once for each, unless its files have no
 * state: attachments do not share variables in the engine. Throws what linking the policies throws; policies that link
 * and cannot be rewritten throw POLICY_SYNTAX or POLICY_TOO_LARGE.
 */
export function rewritePolicies(
  policies: readonly PolicySource[],
  hook: string,
  property: PropertySource | null = null,
): RewrittenPolicy {
  const texts = new Map<string, string>();
  const all: PlacedUnit[] = [];
  const imports: string[] = [`import {run} from "${SPECIFIER}";`];
  const exported = policies.map((source) => ({ source, name: hook }));
  if (property !== null) exported.push({ source: property, name: property.name });
  const stateless = new Map<string, string>();
  const asked = exported.map(({ source: { file, files, folder = "" }, name }, index) => {
    const units = readUnits(file, files, new LinkTime(file));
    const key = units.every(isStateless) ? keyOf(units, folder, name) : null;
    const before = key === null ? undefined : stateless.get(key);
    if (before !== undefined) return before;
    if (key !== null) stateless.set(key, `asked${index}`);
    const prefix = freePrefix(units);
    const watched = droppedCalls(units);
    for (const [number, unit] of units.entries()) {
      const rewriter = new Rewriter(unit, number, all.length, prefix, SPECIFIER, watched[number]!);
      texts.set(`${FOLDER}/${moduleOf(all.length + number).slice(2)}`, rewriter.module());
    }
    all.push(...units.map((unit) => ({ unit, folder })));
    imports.push(`import {${name} as asked${index}} from ${JSON.stringify(moduleOf(all.length - 1))};`);
    return `asked${index}`;
  });
  const [hooks, properties] = [asked.slice(0, policies.length), asked.slice(policies.length)];
  texts.set(`${FOLDER}/entry.js`, `${imports.join("\n")}\nexport const ${hook}=()=>run([${hooks}],[${properties}]);\n`);
  const read = (name: string): string => texts.get(name) ?? "";
  const known = (name: string) => (name === EXPLORER_FILE ? explorerNames() : undefined);
  const options = { root: FOLDER, hookNames: [hook], library: EXPLORER_FILE, units: UNITS };
  const linked = linkPolicy(`${FOLDER}/entry.js`, { read, known, ...options });
  return {
    linked,
    placeOf(place) {
      const its = all[Math.floor(place / PLACE_STEP)];
      if (place === 0 || its === undefined) return null;
      return `${its.folder}${its.unit.source.file}:${place % PLACE_STEP}`;
    },
  };
}

function keyOf(units: readonly Unit[], folder: string, name: string): string {
  return JSON.stringify([folder, name, units.map(({ source }) => [source.file, source.text])]);
}

interface PlacedUnit {
  readonly unit: Unit;
  readonly folder: string;
}

/** A rewritten policy takes more than the policy, which the linker looked at before. */
const UNITS = 2 * COMPILE_UNITS;

/** A name that is in no file of the policy. */
function freePrefix(units: readonly Unit[]): string {
  let prefix = "$p";
  for (let number = 0; units.some(({ source }) => source.text.includes(prefix)); number++) prefix = `$p${number}_`;
  return prefix;
}
