import { isDeepStrictEqual } from "node:util";
import type { HookDefault, HookName } from "../../hooks/catalogue.js";
import type { Mode } from "../../policy/model/mode.js";
import { DETACHED_SIGNATURE_TYPES, SIGNATURE_TYPES } from "../../policy/model/signature-types.gen.js";
import type { TaskCondition } from "../../policy/scope/task-condition.js";
import { declarationsOf, INHERITED } from "../facts/declarations.js";
import type { KnownMaps } from "../shared/known-maps.js";

/** The names of a configuration that policies can give to helpers, and what is known of its maps. */
export interface ConfiguredNames {
  readonly keyrings: readonly string[];
  readonly maps: readonly string[];
  readonly known?: KnownMaps;
}

/** The attachments of a hook, and how their answers are combined. */
export interface ExploredConfiguration extends ConfiguredNames {
  readonly mode: Mode;
  readonly default: HookDefault;
  readonly attachments: readonly {
    readonly name: string;
    readonly mode: Mode;
    readonly onFault: "deny" | "allow";
    readonly scope: TaskCondition;
  }[];
}

/** A configuration that is compared with another one: see the same type of the explorer in the sandbox. */
export interface ComparedConfiguration extends ExploredConfiguration {
  readonly hooks: { readonly old: readonly number[]; readonly new: readonly number[] };
  readonly common: readonly (readonly [old: number, new: number])[];
  readonly comparesReasons: boolean;
}

/** What the explorer in the sandbox is told at the beginning of each path, of which its own type says more. */
export interface HostBeginning {
  readonly known: KnownMaps;
  readonly [key: string]: unknown;
}

/** What the explorer in the sandbox is told at the beginning of each path. */
export function beginningOf(
  hook: HookName,
  { keyrings, maps, known = {} }: ConfiguredNames,
  configuration: ExploredConfiguration | null,
  compared: ComparedConfiguration | null,
): HostBeginning {
  const { argument, subject, current, results, fixed, multiples } = declarationsOf(hook);
  return {
    ...{ hook, configuration, compared, argument, subject, current, results, fixed, multiples },
    ...{ keyrings, maps, known: compared === null ? known : knownToBoth({ keyrings, maps, known }, compared) },
    detached: DETACHED_SIGNATURE_TYPES,
    attached: SIGNATURE_TYPES.filter((type) => !(DETACHED_SIGNATURE_TYPES as readonly string[]).includes(type)),
    inherited: INHERITED,
  };
}

/** What is known of maps whichever of two configurations looks them up: both have one symbol for the same name. */
function knownToBoth(one: ConfiguredNames, other: ConfiguredNames): KnownMaps {
  const its = { ...other.known, ...one.known };
  const isSame = (name: string) => isDeepStrictEqual(one.known?.[name], other.known?.[name]);
  const isInBoth = (name: string) => one.maps.includes(name) && other.maps.includes(name);
  return Object.fromEntries(Object.entries(its).filter(([name]) => !isInBoth(name) || isSame(name)));
}
