import { CountersignError } from "../../error.js";
import { didYouMean } from "../../nearest.js";
import type { FixedSetting, ProgramPart, StatementRules } from "./content.js";
import { isOpening, openingsOf } from "./openings.js";
import { parseValue } from "./setting-value.js";
import { type DeclaredSetting, declaredSettings } from "./settings.js";

/** What a signer asks for, as the options of `sign` have it. */
export interface RuleOptions {
  /** `NAME` fixes a setting at its declared value, `NAME=VALUE` at another. */
  readonly fix?: readonly string[] | undefined;
  /** Fixes every setting that `fix` does not name at its declared value. */
  readonly fixAll?: boolean | undefined;
  readonly open?: readonly string[] | undefined;
}

/**
 * Throws USAGE for a setting, map or program that does not exist, for a value that does not fit, and for a map size
 * that is fixed without a value although the object declares none.
 */
export function rulesOf(part: ProgramPart, { fix = [], fixAll = false, open = [] }: RuleOptions): StatementRules {
  const settings = declaredSettings(part.object);
  const fixed = new Map<string, FixedSetting>();
  for (const text of fix) for (const rule of fixedBy(text, settings, part)) put(fixed, rule);
  if (fixAll)
    for (const setting of settings) {
      const { name, kind, declared } = setting;
      if (fixed.has(keyOf(setting)) || isSetByLibbpf(setting, part)) continue;
      if (lacksValue(setting, part)) throw withoutValue(name);
      put(fixed, { name, kind, value: declared });
    }
  for (const text of open) if (!isOpening(text, part)) throw noOpening(text, part);
  return {
    fixed: [...fixed.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, rule]) => rule),
    open: [...new Set(open)].sort((a, b) => (a < b ? -1 : 1)),
  };
}

const keyOf = ({ name, kind }: Pick<FixedSetting, "name" | "kind">) => `${name} ${kind}`;

function put(fixed: Map<string, FixedSetting>, rule: FixedSetting): void {
  fixed.set(keyOf(rule), rule);
}

const PERF_EVENT_ARRAY = 4;

/** libbpf sets the size of a perf event array without one to the number of possible CPUs (map_set_def_max_entries). */
function isSetByLibbpf({ kind, map }: DeclaredSetting, { object }: ProgramPart): boolean {
  return kind === "max_entries" && object.maps[map]!.type === PERF_EVENT_ARRAY;
}

/**
 * The types of maps (enum bpf_map_type) that the kernel creates only if the size is 0: storage that belongs to other
 * objects, and maps without keys or values.
 */
const ZERO_SIZES: Readonly<Record<string, ReadonlySet<number>>> = {
  max_entries: new Set([19, 21, 24, 28, 29, 32]),
  key_size: new Set([22, 23, 27, 30, 31, 33]),
  value_size: new Set([27, 31, 33]),
};

/** Whether this is a size of 0 with which the kernel creates no map of the type, so that the loader has to set it. */
function lacksValue({ kind, map }: DeclaredSetting, { object }: ProgramPart): boolean {
  return ZERO_SIZES[kind]?.has(object.maps[map]!.type) === false;
}

function withoutValue(name: string): CountersignError {
  return usage(`setting \`${name}\` has no declared value, since the loader has to set it`, `add --fix ${name}=VALUE`);
}

function fixedBy(text: string, settings: readonly DeclaredSetting[], part: ProgramPart): FixedSetting[] {
  const equals = text.indexOf("=");
  const name = equals === -1 ? text : text.slice(0, equals);
  const named = settings.filter((setting) => setting.name === name);
  if (named.length === 0)
    throw usage(
      `no setting \`${name}\`${didYouMean(
        name,
        settings.map((setting) => setting.name),
      )}`,
      "name a setting that `inspect --statement` lists; all else of the object is covered exactly",
    );
  return named.map((setting) => {
    const { kind, declared } = setting;
    if (equals === -1 && lacksValue(setting, part)) throw withoutValue(name);
    return { name, kind, value: equals === -1 ? declared : valueFor(setting, text.slice(equals + 1)) };
  });
}

function valueFor(setting: DeclaredSetting, text: string): FixedSetting["value"] {
  const { name, kind, size, scalar, type } = setting;
  const value = kind === "variable" ? parseValue(text, size, scalar) : parseValue(text, 4, UNSIGNED);
  if (value === null || (kind === "autocreate" && value !== 0 && value !== 1))
    throw usage(
      `\`${text}\` is not a value of setting \`${name}\``,
      kind === "variable" && scalar === null
        ? `give its ${size} bytes in hex`
        : `give a number${type === null ? "" : ` that fits \`${type}\``}`,
    );
  return value;
}

const UNSIGNED = { size: 4, signed: false } as const;

function noOpening(text: string, part: ProgramPart): CountersignError {
  return usage(
    `\`${text}\` opens nothing in this object${didYouMean(text, openingsOf(part))}`,
    "open map:NAME.type, map:NAME.pinned, map:NAME.shared, PROGRAM.attach-target, PROGRAM.type=ext or " +
      "PROGRAM.flags=xdp_has_frags",
  );
}

function usage(message: string, remedy: string): CountersignError {
  return new CountersignError("USAGE", message, { remedy });
}
