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
const EXPLORER_FILE = `${FOLDER}/explorer.js`;
const SPECIFIER = "./explorer.js";
/** No name of a file. */
const PROPERTY = "";

/** The file of a policy, and how it and the files that it imports are read. */
export interface PolicySource {
  readonly file: string;
  readonly files: Files;
}

/** A property: a function that a file exports under a name. */
export interface PropertySource extends PolicySource {
  readonly name: string;
}

/**
 * Rewrites policies, and a property of their decisions, with the files that they import, and links the result, in which
 * they are asked in order. Throws what linking the policies throws; policies that link and cannot be rewritten throw
 * POLICY_SYNTAX or POLICY_TOO_LARGE.
 */
export function rewritePolicies(
  policies: readonly PolicySource[],
  hook: string,
  property: PropertySource | null = null,
): RewrittenPolicy {
  const texts = new Map<string, string>();
  const all: Unit[] = [];
  const imports: string[] = [`import {run} from "${SPECIFIER}";`];
  const names = new Map<string, string>();
  const exported = new Map<PolicySource, string>(policies.map((policy) => [policy, hook]));
  if (property !== null) exported.set(property, property.name);
  for (const [source, name] of exported) {
    const { file, files } = source;
    const key = source === property ? PROPERTY : file;
    if (names.has(key)) continue;
    const units = readUnits(file, files, new LinkTime(file));
    const prefix = freePrefix(units);
    const watched = droppedCalls(units);
    for (const [number, unit] of units.entries()) {
      const rewriter = new Rewriter(unit, number, all.length, prefix, SPECIFIER, watched[number]!);
      texts.set(`${FOLDER}/${moduleOf(all.length + number).slice(2)}`, rewriter.module());
    }
    all.push(...units);
    names.set(key, `asked${names.size}`);
    imports.push(`import {${name} as ${names.get(key)}} from ${JSON.stringify(moduleOf(all.length - 1))};`);
  }
  const asked = policies.map(({ file }) => names.get(file)).join();
  texts.set(
    `${FOLDER}/entry.js`,
    `${imports.join("\n")}\nexport const ${hook}=()=>run([${asked}],[${names.get(PROPERTY) ?? ""}]);\n`,
  );
  const read = (name: string): string => texts.get(name) ?? "";
  const known = (name: string) => (name === EXPLORER_FILE ? explorerUnit() : undefined);
  const linked = linkPolicy(`${FOLDER}/entry.js`, { read, known, root: FOLDER, hookNames: [hook] });
  return {
    linked,
    placeOf(place) {
      const unit = all[Math.floor(place / PLACE_STEP)];
      return place === 0 || unit === undefined ? null : `${unit.source.file}:${place % PLACE_STEP}`;
    },
  };
}

let explorer: Unit | undefined;

/** The explorer's file, which is parsed once for all explorations. */
function explorerUnit(): Unit {
  explorer ??= readUnits(EXPLORER_FILE, { read: () => EXPLORER, root: FOLDER }, new LinkTime(EXPLORER_FILE))[0]!;
  return explorer;
}

/** A name that is in no file of the policy. */
function freePrefix(units: readonly Unit[]): string {
  let prefix = "$p";
  for (let number = 0; units.some(({ source }) => source.text.includes(prefix)); number++) prefix = `$p${number}_`;
  return prefix;
}
