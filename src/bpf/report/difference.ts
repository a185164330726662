import { EFFECTS, type Evidence, type MapFacts, type ObjectFacts, type ProgramFacts } from "../model/facts.js";
import { PROGRAM_FIELDS, programFactsFrom } from "../model/program-fields.js";

/** The changes between two versions of an object, for the review of an upgrade. */
export interface ObjectDifference {
  /** Programs that only the new version has, and programs that only the old version has. */
  readonly added: readonly ProgramFacts[];
  readonly removed: readonly ProgramFacts[];
  readonly changed: readonly ProgramDifference[];
}

export interface ProgramDifference {
  readonly name: string;
  readonly section: string | null;
  /** Scalar facts that differ, with old and new values. */
  readonly fields: readonly Field[];
  readonly helpers: Change<string>;
  readonly kfuncs: Change<string>;
  readonly effects: Change<string>;
  /** Evidence for each new effect. */
  readonly evidence: readonly Evidence[];
  readonly maps: Change<MapFacts>;
  /** Maps of the same name with different definitions. */
  readonly changed_maps: readonly { readonly name: string; readonly fields: readonly Field[] }[];
}

export interface Change<T> {
  readonly added: readonly T[];
  readonly removed: readonly T[];
}

export interface Field {
  readonly name: string;
  readonly before: string | number | boolean | null;
  readonly after: string | number | boolean | null;
}

/** Facts that can only change together with another one that is compared. */
const FOLLOWING: readonly string[] = ["gpl_compatible", "tag"];
/** The scalar facts about a program that are compared. */
const COMPARED = programFactsFrom("load", "code").filter(
  (name): name is Scalar => PROGRAM_FIELDS[name].type.isScalar && !FOLLOWING.includes(name),
);
type Scalar = { [N in keyof ProgramFacts]: ProgramFacts[N] extends Field["before"] ? N : never }[keyof ProgramFacts];
const MAP_FIELDS = ["type", "key_size", "value_size", "max_entries", "flags", "contents"] as const;

/**
 * Compares two versions. Programs correspond if section and name are equal, or, after a move to another section, the
 * name.
 */
export function differenceOf(before: ObjectFacts, after: ObjectFacts): ObjectDifference {
  const pairs = pair(before.programs, after.programs);
  const paired = new Set(pairs.flat());
  return {
    added: after.programs.filter((program) => !paired.has(program)),
    removed: before.programs.filter((program) => !paired.has(program)),
    changed: pairs.map(([old, now]) => programDifference(old, now)).filter(isChange),
  };
}

export function isSame({ added, removed, changed }: ObjectDifference): boolean {
  return added.length === 0 && removed.length === 0 && changed.length === 0;
}

type Pair = readonly [before: ProgramFacts, after: ProgramFacts];

function pair(before: readonly ProgramFacts[], after: readonly ProgramFacts[]): Pair[] {
  const left = new Set(before);
  const found = new Map<ProgramFacts, ProgramFacts>();
  for (const key of [({ section, name }: ProgramFacts) => `${section}\0${name}`, ({ name }: ProgramFacts) => name]) {
    const olds = new Map([...left].reverse().map((program) => [key(program), program]));
    for (const program of after) {
      const old = found.has(program) ? undefined : olds.get(key(program));
      if (old === undefined || !left.delete(old)) continue;
      found.set(program, old);
    }
  }
  return after.filter((program) => found.has(program)).map((program) => [found.get(program)!, program]);
}

function programDifference(before: ProgramFacts, after: ProgramFacts): ProgramDifference {
  const may = ({ effects }: ProgramFacts) => EFFECTS.filter((effect) => effects[effect]);
  const effects = change(may(before), may(after));
  const fields = [...fieldsOf(before, after, COMPARED)];
  if (before.effects.read_only !== after.effects.read_only)
    fields.push({ name: "read_only", before: before.effects.read_only, after: after.effects.read_only });
  const names = new Map(before.maps.map((map) => [map.name, map]));
  const left = new Set(after.maps.map(({ name }) => name));
  const kept = after.maps.filter(({ name }) => names.has(name));
  return {
    name: after.name,
    section: after.section,
    fields,
    helpers: change(before.helpers, after.helpers),
    kfuncs: change(before.kfuncs, after.kfuncs),
    effects,
    evidence: after.evidence.filter(({ effect }) => effects.added.includes(effect)),
    maps: {
      added: after.maps.filter(({ name }) => !names.has(name)),
      removed: before.maps.filter(({ name }) => !left.has(name)),
    },
    changed_maps: kept
      .map((map) => ({ name: map.name, fields: fieldsOf(names.get(map.name)!, map, MAP_FIELDS) }))
      .filter(({ fields: changed }) => changed.length > 0),
  };
}

function isChange(difference: ProgramDifference): boolean {
  const { fields, helpers, kfuncs, effects, maps, changed_maps } = difference;
  const lists = [helpers, kfuncs, effects, maps].some(({ added, removed }) => added.length + removed.length > 0);
  return lists || fields.length > 0 || changed_maps.length > 0;
}

function fieldsOf<K extends string>(
  before: Readonly<Record<K, Field["before"]>>,
  after: Readonly<Record<K, Field["after"]>>,
  names: readonly K[],
): Field[] {
  return names
    .filter((name) => before[name] !== after[name])
    .map((name) => ({ name, before: before[name], after: after[name] }));
}

function change<T>(before: readonly T[], after: readonly T[]): Change<T> {
  const [old, now] = [new Set(before), new Set(after)];
  return { added: after.filter((one) => !old.has(one)), removed: before.filter((one) => !now.has(one)) };
}
