import { CountersignError } from "../../error.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { Container } from "../../policy/current.js";
import type { FilterKind } from "../filter.js";

/** What is filtered. */
export interface Filtered {
  readonly filter: FilterKind;
  readonly container: Pick<Container, "id"> | null;
}

/** The filter that notifies the gate of the fewest calls, and of all that an engine decides. */
export function fastestFilter(engine: { serves(hook: HookName): boolean }): FilterKind {
  return engine.serves("bpf") ? "full" : "fast";
}

/**
 * Throws HOOK_NOT_ENFORCED if a fast filter does not notify the gate of calls that a configuration decides: the gate
 * would allow what the configuration denies. `fastest` is the configuration's.
 */
export function requireNotified(fastest: FilterKind, filtered: Iterable<Filtered>): void {
  if (fastest === "fast") return;
  const passing = [...filtered].filter(({ filter }) => filter === "fast");
  if (passing.length === 0) return;
  const names = [
    ...new Set(passing.map(({ container }) => (container === null ? "the command" : `\`${container.id}\``))),
  ];
  throw new CountersignError(
    "HOOK_NOT_ENFORCED",
    `the gate cannot enforce hook bpf for ${names.join(", ")}: the seccomp filter lets access to map elements pass`,
    {
      remedy:
        "start the container with deploy/seccomp.json; or use a configuration without attachments to hook bpf and without a default for it",
    },
  );
}
