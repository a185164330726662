import type { HookDefault, HookName } from "../../hooks/catalogue.js";
import type { Mode } from "../../policy/model/mode.js";
import { DETACHED_SIGNATURE_TYPES, SIGNATURE_TYPES } from "../../policy/model/signature-types.gen.js";
import type { TaskCondition } from "../../policy/scope/task-condition.js";
import { declarationsOf, INHERITED } from "../facts/declarations.js";

/** The names of a configuration that policies can give to helpers. */
export interface ConfiguredNames {
  readonly keyrings: readonly string[];
  readonly maps: readonly string[];
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

/** What the explorer in the sandbox is told at the beginning of each path. */
export function beginningOf(
  hook: HookName,
  { keyrings, maps }: ConfiguredNames,
  configuration: ExploredConfiguration | null,
  compared: ComparedConfiguration | null,
): object {
  const { argument, subject, current, results, fixed, multiples } = declarationsOf(hook);
  return {
    ...{ hook, configuration, compared, argument, subject, current, results, fixed, multiples },
    keyrings,
    maps,
    detached: DETACHED_SIGNATURE_TYPES,
    attached: SIGNATURE_TYPES.filter((type) => !(DETACHED_SIGNATURE_TYPES as readonly string[]).includes(type)),
    inherited: INHERITED,
  };
}
