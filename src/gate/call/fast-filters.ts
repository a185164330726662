import { CountersignError } from "../../error.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { Container } from "../../policy/model/current.js";
import type { FilterKind } from "./filter.js";

/** A container, or the command if null, with the kind of its seccomp filter. */
export interface Filtered {
  readonly filter: FilterKind;
  readonly container: Pick<Container, "id"> | null;
}

/** The filter that notifies the gate of the fewest calls, but of every call that the engine decides. */
export function fastestFilter(engine: { serves(hook: HookName): boolean }): FilterKind {
  return engine.serves("bpf") ? "full" : "fast";
}

/**
 * Throws HOOK_NOT_ENFORCED if the configuration needs the full filter and a container or the command has the fast one:
 * calls that the configuration denies would not reach the gate. `fastest` is {@link fastestFilter} of the
 * configuration's engine.
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
    `hook bpf cannot be enforced for ${names.join(", ")}: the seccomp filter does not notify the gate of access to ` +
      "map elements",
    {
      remedy:
        "start the container with deploy/seccomp.json; or use a configuration without attachments to hook bpf and " +
        "without a default for it",
    },
  );
}
