import { ATTACH_TYPES, HELPERS, MAP_TYPES, PROGRAM_TYPES } from "../../bpf/tables/names.gen.js";
import type { Config } from "../../config/config.js";
import { CountersignError } from "../../error.js";
import { didYouMean } from "../../nearest.js";
import { CLASS_ROWS, type GuardClasses, MAX_HELPER, MAX_TYPE, type ProgramClass } from "./class-table.js";
import { whyExcluded } from "./excluded.js";
import { KNOWN_CLASSES, type KnownRow } from "./known-classes.js";

type Written = Config["seal"]["admit"][number];

/** As many as programs can have (GUARD_MAX_MAPS of guard/interface.h). */
const MOST_MAPS = 64;

/** A class with its name in the configuration. */
export interface NamedClass extends ProgramClass {
  readonly name: string;
}

/** What {@link GuardClasses} has, with the names of the classes. */
export interface ConfiguredClasses extends GuardClasses {
  readonly admit: readonly NamedClass[];
}

/**
 * The classes and the mask of a configuration, with the kernel's numbers. Throws CONFIG_INVALID for a name that neither
 * the kernel nor this Countersign has, and SEAL_CLASS_EXCLUDED for a class that no configuration may admit.
 */
export function configuredClasses({ seal }: Pick<Config, "seal">): ConfiguredClasses {
  const { types, helpers, place } = seal.mask;
  return {
    admit: rowsOf(seal.admit),
    mask: {
      types: types.map((name) => numberOf(name, KINDS.type, place)),
      helpers: helpers.map((name) => numberOf(name, KINDS.helper, place)),
    },
  };
}

interface WrittenRow extends Omit<Written, "rules"> {
  readonly rules: NonNullable<Written["rules"]> | KnownRow;
}

function rowsOf(written: readonly Written[]): readonly NamedClass[] {
  const rows = written.flatMap((one) =>
    (one.rules === null ? known(one) : [one.rules]).map((rules) => rowOf({ ...one, rules })),
  );
  if (rows.length <= CLASS_ROWS) return rows;
  throw new CountersignError("CONFIG_INVALID", `has ${rows.length} rows, where ${CLASS_ROWS} is the most`, {
    place: written.at(-1)!.place,
    remedy: "admit fewer classes; `cgroup_bind` has three rows, the others one",
  });
}

function rowOf({ name, place, rules }: WrittenRow): NamedClass {
  const { type, attach = [], helpers = [], maps = [], instructions } = rules;
  const found = {
    name,
    type: numberOf(type, KINDS.type, place),
    // 0 is what the kernel is given by a loader that names no attach type
    attachTypes: [...new Set([0, ...attach.map((each) => numberOf(each, KINDS.attach, place))])].sort((a, b) => a - b),
    helpers: helpers.map((each) => numberOf(each, KINDS.helper, place)),
    mapTypes: maps.map((each) => numberOf(each, KINDS.map, place)),
    instructions,
    maps: maps.length === 0 ? 0 : MOST_MAPS,
  };
  const excluded = whyExcluded(found);
  if (excluded === null) return found;
  throw new CountersignError("SEAL_CLASS_EXCLUDED", excluded, {
    place,
    remedy: "list such programs with `countersign seal build`, or sign them",
  });
}

function known({ name, place }: Written): readonly KnownRow[] {
  const found = Object.hasOwn(KNOWN_CLASSES, name) ? KNOWN_CLASSES[name] : undefined;
  if (found !== undefined) return found;
  const names = Object.keys(KNOWN_CLASSES);
  throw new CountersignError("CONFIG_INVALID", `there is no class \`${name}\`${didYouMean(name, names)}`, {
    place,
    remedy: `name ${names.join(", ")}, or write a class with \`name\` and \`type\``,
  });
}

interface Kind {
  readonly what: string;
  readonly names: readonly string[];
  readonly most: number;
}

/** Number 0 is not a type, except of attach types. */
const KINDS = {
  type: { what: "program type", names: PROGRAM_TYPES.with(0, ""), most: MAX_TYPE },
  attach: { what: "attach type", names: ATTACH_TYPES, most: MAX_TYPE },
  helper: { what: "helper", names: HELPERS.with(0, ""), most: MAX_HELPER },
  map: { what: "map type", names: MAP_TYPES.with(0, ""), most: MAX_TYPE },
} satisfies Record<string, Kind>;

function numberOf(name: string, { what, names, most }: Kind, place: string): number {
  const number = names.indexOf(name);
  if (number >= 0 && number <= most) return number;
  throw new CountersignError("CONFIG_INVALID", `\`${name}\` is no ${what} of the kernel${didYouMean(name, names)}`, {
    place,
    remedy: "write it as `countersign inspect` does",
  });
}
