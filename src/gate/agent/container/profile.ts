import type { FilterKind } from "../../call/filter.js";

/** `listenerMetadata` of the profiles in deploy/. */
export const METADATA: Readonly<Record<FilterKind, string>> = { full: "countersign-2", fast: "countersign-fast-2" };

/** `metadata` of the state that `countersign run` sends to the agent of a sealed machine. */
export const RUN_METADATA = "countersign-run";

/** What the metadata that came with a listener says about its filter. */
export interface Profile {
  readonly filter: FilterKind;
  /**
   * Whether the filter itself fails each call that would install another listener: `yes`; `no` for the profiles of
   * versions before; `unknown` for other metadata.
   */
  readonly keepsListener: "yes" | "no" | "unknown";
}

const PROFILES: ReadonlyMap<string, Profile> = new Map<string, Profile>([
  [METADATA.full, { filter: "full", keepsListener: "yes" }],
  [METADATA.fast, { filter: "fast", keepsListener: "yes" }],
  ["countersign", { filter: "full", keepsListener: "no" }],
  ["countersign-fast", { filter: "fast", keepsListener: "no" }],
]);

/** Of other metadata nothing is known: its filter counts as a full one. */
const UNKNOWN: Profile = { filter: "full", keepsListener: "unknown" };

/** The profile that this metadata names. */
export function profileOf({ metadata }: { readonly metadata: string }): Profile {
  return PROFILES.get(metadata) ?? UNKNOWN;
}

/** Whether a container's filter lets a task install a listener of its own once the gate's is closed. */
export function isOutdated(state: { readonly metadata: string }): boolean {
  return profileOf(state).keepsListener !== "yes" && !isRun(state);
}

/** Whether a listener belongs to no container but to threads of `countersign run` on a sealed machine. */
export function isRun({ metadata }: { readonly metadata: string }): boolean {
  return metadata === RUN_METADATA;
}
