import { writeObject } from "../../bpf/assembly/object-writer.js";
import type { CodeMap } from "../../bpf/model/code.js";
import { EFFECTS, type MapFacts, type ProgramSubject } from "../../bpf/model/facts.js";
import { roleOf } from "../../bpf/object/section.js";
import { factsOfObject } from "../../bpf/object.js";
import { MAP_TYPES } from "../../bpf/tables/names.gen.js";
import { CountersignError } from "../../error.js";
import type { Condition } from "../solver/condition.js";
import { type WantedCode, writeCode } from "./program-code.js";
import { sectionsFor } from "./sections.js";

/** An object that was assembled, and the conditions that its facts do not satisfy. */
export interface AssembledObject {
  readonly bytes: Buffer;
  readonly unmet: readonly Condition[];
}

/** The conditions that a program with these facts does not satisfy. */
export type Unmet = (facts: object) => readonly Condition[];

/** The most sections, and objects of all together, that are tried. */
const MOST_SECTIONS = 24;
const MOST_OBJECTS = 1_500;
/** The most maps of an object, and bytes of its licence, which libbpf cuts. */
const MOST_MAPS = 1_000;
const MOST_LICENSE = 62;

/** Return values: 0, and those that pass, drop or redirect something for some program type. */
const RETURNS = [0, 1, 2, -1, 7, 4] as const;
/** How many of the ways to an effect are tried. */
const WAYS = 3;

/**
 * Assembles an object whose program has facts that satisfy conditions. `wanted` is a program of the model, which
 * satisfies them: only what the conditions need of it has to be in the object. Returns the object with the fewest
 * conditions that are not satisfied; null if none could be assembled.
 */
export function assembleProgram(wanted: ProgramSubject, unmet: Unmet): AssembledObject | null {
  let best: AssembledObject | null = null;
  let tried = 0;
  for (const parts of candidates(wanted)) {
    if (tried++ >= MOST_OBJECTS) break;
    const bytes = assembled(parts);
    const facts = bytes === null ? null : factsIn(bytes);
    if (bytes === null || facts === null) continue;
    const object = { bytes, unmet: unmet(facts) };
    if (best === null || object.unmet.length < best.unmet.length) best = object;
    if (best.unmet.length === 0) break;
  }
  return best;
}

interface Parts {
  readonly name: string;
  readonly section: string;
  readonly license: string;
  readonly code: WantedCode;
}

/** Combinations of parts, with those first that are nearest to the wanted program, and are the simplest. */
function* candidates(wanted: ProgramSubject): Generator<Parts> {
  const { name, license, insn_cnt: count, helpers, kfuncs } = wanted;
  const maps = mapsLike(wanted.maps);
  const effects = EFFECTS.filter((effect) => wanted.effects[effect]);
  const licenses = [license, ...(wanted.gpl_compatible ? ["GPL"] : ["Proprietary"])];
  const lengths = [null, count].filter((length) => length === null || length > 0);
  for (const section of sectionsFor(wanted).slice(0, MOST_SECTIONS)) {
    const { type } = roleOf(section);
    for (const length of lengths)
      for (const its of new Set(licenses))
        for (let way = 0; way < WAYS; way++)
          for (const returns of RETURNS) {
            const code = { type, effects, helpers, kfuncs, maps, returns, way, length };
            yield { name: name === "" ? "witness" : name, section, license: its, code };
          }
  }
}

/** Maps of these facts, with names of their own: a symbol has a name, which no other has. */
export function mapsLike(facts: readonly MapFacts[]): readonly CodeMap[] {
  const names = new Set<string>();
  return facts.map((one, index) => {
    const name = one.name === "" || names.has(one.name) ? `map_${index}` : one.name;
    names.add(name);
    const { key_size, value_size, max_entries, flags } = one;
    // No definition has a type that the tables lack, nor the first one, which stands for none
    const type = MAP_TYPES.indexOf(one.type) > 0 ? one.type : "unknown";
    const sizes = { key_size, value_size, max_entries, flags };
    return { name, type, ...sizes, contents: null, own: true, data: null, frozen: false, inner: null };
  });
}

function assembled({ name, section, license, code }: Parts): Buffer | null {
  if (code.maps.length > MOST_MAPS || Buffer.byteLength(license) > MOST_LICENSE || hasNul(name, section)) return null;
  const written = writeCode(code);
  return written === null ? null : writeObject({ name, section, license, ...written });
}

/** A name in an ELF file ends with the first NUL. */
function hasNul(...names: readonly string[]): boolean {
  return names.some((name) => name.includes("\0"));
}

function factsIn(bytes: Buffer): object | null {
  try {
    return factsOfObject(bytes).programs[0] ?? null;
  } catch (error) {
    // What this version's reader does not take, a loader need not take either
    if (error instanceof CountersignError) return null;
    throw error;
  }
}
