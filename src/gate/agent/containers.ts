import { CountersignError } from "../../error.js";
import type { Container } from "../../policy/current.js";
import type { FilterKind } from "../filter.js";
import type { ContainerState } from "./container-state.js";
import type { LabelSource, Labels } from "./label-source.js";
import { containerOf } from "./labels.js";

/** What becomes of containers. */
export interface ContainersEvents {
  /** A listener's tasks are of this container from now on: it is new, or its labels have changed. */
  known(listener: number, container: Container, filter: FilterKind, cursor: number): void;
  /** For what a person must know. */
  say(error: CountersignError): void;
}

/** Milliseconds after which it is said that a container's labels are not known. */
const PATIENCE = 30_000;

const NO_FILE = -1;

interface Held {
  readonly state: ContainerState;
  /** A file for a {@link NotificationCursor}; negative for none. */
  readonly cursor: number;
  labels: Labels | null;
}

/**
 * The listeners that an agent hears, one for each process that a runtime started in a container, and whose they are.
 */
export class Containers {
  readonly #held = new Map<number, Held>();
  /** Ids of containers of which it was said that their labels are not known. */
  readonly #unknown = new Set<string>();

  constructor(
    private readonly source: LabelSource,
    private readonly events: ContainersEvents,
    private readonly patience = PATIENCE,
  ) {
    source.follow?.({ changed: () => this.refresh(), say: (error) => events.say(error) });
  }

  get listeners(): readonly number[] {
    return [...this.#held.keys()];
  }

  get size(): number {
    return this.#held.size;
  }

  take(listener: number, state: ContainerState, cursor = NO_FILE): void {
    const labels = this.source.labelsOf(state);
    this.#held.set(listener, { state, cursor, labels });
    this.events.known(listener, containerOf(state, labels), state.filter, cursor);
    if (labels === null) setTimeout(() => this.#sayUnknown(listener, state), this.patience).unref();
  }

  /** Whether it was there. */
  forget(listener: number): boolean {
    return this.#held.delete(listener);
  }

  /** Looks all labels up again, and tells of those that are other ones. */
  refresh(): void {
    for (const [listener, held] of this.#held) {
      const labels = this.source.labelsOf(held.state);
      if (equal(labels, held.labels)) continue;
      held.labels = labels;
      this.events.known(listener, containerOf(held.state, labels), held.state.filter, held.cursor);
    }
  }

  close(): void {
    this.source.close?.();
  }

  /** Once for each container. */
  #sayUnknown(listener: number, state: ContainerState): void {
    const held = this.#held.get(listener);
    if (held?.state !== state || held.labels !== null || this.#unknown.has(state.id)) return;
    if (this.#unknown.size >= MAX_SAID) this.#unknown.clear();
    this.#unknown.add(state.id);
    const why = this.source.why?.(state) ?? "they were not handed over";
    this.events.say(
      new CountersignError("LABELS_UNKNOWN", `the labels of container \`${state.id}\` are not known: ${why}`, {
        remedy: "until they are, every label scope holds for it; see docs/errors/LABELS_UNKNOWN.md",
      }),
    );
  }
}

/** Ids that are remembered; when there are more, it begins anew. */
const MAX_SAID = 10_000;

/** Whether labels are the same, in whatever order they come. */
function equal(one: Labels | null, other: Labels | null): boolean {
  if (one === null || other === null) return one === other;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && one[key] === other[key])
  );
}
