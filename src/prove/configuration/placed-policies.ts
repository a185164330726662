import { posix } from "node:path";
import type { HookName } from "../../hooks/catalogue.js";
import type { Limits } from "../../policy/attachment.js";
import { Scope } from "../../policy/scope/scope.js";
import { DEFAULT_LIMITS, LIMIT_BOUNDS } from "../../sandbox/shared/limits.js";
import {
  type Exploration,
  type ExplorationLimits,
  type ExploredAttachments,
  exploreComparison,
  exploreDecisions,
  type StopCondition,
} from "../explorer/exploration.js";
import type { PropertySource } from "../explorer/rewritten-policy.js";
import { type LoadedAttachment, LoadedAttachments } from "../witness/loaded-attachments.js";
import { commonAttachments } from "./common-attachments.js";

/** Policies that the engine asks, and that are explored as their configuration places them. */
export class PlacedPolicies extends LoadedAttachments {
  /** Explores all decisions at a hook; with a property, what it says of them. Throws as {@link exploreDecisions}. */
  explore(
    hook: HookName,
    bounds: ExplorationLimits,
    property: PropertySource | null = null,
    stopWhen?: StopCondition,
  ): Exploration {
    return exploreDecisions(this.#explored(hook), hook, jointLimits(this.at(hook)), bounds, property, stopWhen);
  }

  /**
   * Explores the decisions at a hook together with those of another configuration; places name the folders of both.
   * Attachments that both ask in the same way are left out where they make no difference, but only if
   * `definesTheSame` says that their keyrings, maps and signatures are the same: otherwise the exploration has to find
   * out what they use.
   */
  exploreWith(
    other: PlacedPolicies,
    hook: HookName,
    bounds: ExplorationLimits,
    { definesTheSame = false, comparesReasons = false } = {},
  ): Exploration {
    const [old, its] = [this.#explored(hook, true), other.#explored(hook, true)];
    const { hooks, common } = commonAttachments(this, other, hook);
    const all = [...old.policies, ...its.policies];
    const numbers = [...new Set([...hooks.old, ...hooks.new])];
    const renumbered = (own: readonly number[]) => own.map((number) => numbers.indexOf(number));
    const compared = {
      ...its.configuration,
      hooks: { old: renumbered(hooks.old), new: renumbered(hooks.new) },
      common: definesTheSame ? common : [],
      comparesReasons,
    };
    const limits = jointLimits([...this.at(hook), ...other.at(hook)]);
    const policies = numbers.map((number) => all[number]!);
    return exploreComparison(policies, old.configuration, compared, hook, limits, bounds);
  }

  /** What the explorer is told about the attachments at a hook. */
  #explored(hook: HookName, isPlaced = false): ExploredAttachments {
    const placed = this.at(hook);
    const { mode, default: defaults, file } = this.config;
    const folder = `${posix.dirname(file)}/`;
    const policies = placed.map(({ source }) => (isPlaced && folder !== "./" ? { ...source, folder } : source));
    const attachments = placed.map(({ attachment }) => {
      const { name, mode: own, onFault, scope } = attachment;
      return { name, mode: own, onFault, scope: Scope.of(scope).condition };
    });
    return { policies, configuration: { ...this.names, mode, default: defaults[hook], attachments } };
  }
}

/**
 * The limits for policies that are explored in one sandbox, together with a property, which has the default ones: the
 * memory, steps and time of all, and the smallest stack.
 */
function jointLimits(placed: readonly LoadedAttachment[]): Limits {
  const all = [DEFAULT_LIMITS, ...placed.map(({ attachment }) => attachment.limits)];
  const sum = (of: keyof Limits) =>
    Math.min(
      LIMIT_BOUNDS[of][1],
      all.reduce((total, limits) => total + limits[of], 0),
    );
  const stack = Math.min(...all.map((limits) => limits.stack));
  return { steps: sum("steps"), memory: sum("memory"), timeout: sum("timeout"), stack };
}
