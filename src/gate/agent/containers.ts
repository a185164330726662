import { CountersignError } from "../../error.js";
import type { Container } from "../../policy/model/current.js";
import type { FilterKind } from "../call/filter.js";
import type { ContainerState } from "./container/container-state.js";
import type { LabelSource, Labels } from "./container/label-source.js";
import { isOutdated, profileOf } from "./container/profile.js";
import { containerOf } from "./labels.js";

/** Events of {@link Containers}. */
export interface ContainersEvents {
  /** Sets the container of a listener's tasks. Called for a new listener, and when the container's labels change. */
  known(listener: number, container: Container, filter: FilterKind, cursor: number): void;
  /** Called with problems that the administrator must know. */
  say(error: CountersignError): void;
}

/** Milliseconds after which unknown labels of a container are reported. */
const PATIENCE = 30_000;

const NO_FILE = -1;

interface Held {
  readonly state: ContainerState;
  /** Fd of the file for a {@link NotificationCursor}; negative if there is none. */
  readonly cursor: number;
  labels: Labels | null;
}

/**
 * The listeners of an agent and their containers. A container has one listener for each process that the runtime
 * started in it.
 */
export class Containers {
  readonly #held = new Map<number, Held>();
  /** Ids of containers whose unknown labels were reported. */
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
    this.events.known(listener, containerOf(state, labels), profileOf(state).filter, cursor);
    if (labels === null) setTimeout(() => this.#sayUnknown(listener, state), this.patience).unref();
  }

  /** Number of listeners whose filter does not fail calls that install another one. */
  get outdated(): number {
    return [...this.#held.values()].filter(({ state }) => isOutdated(state)).length;
  }

  /** Whether a container has such a listener. */
  isOutdated(container: string): boolean {
    return [...this.#held.values()].some(({ state }) => state.id === container && isOutdated(state));
  }

  /** Returns the fd of the listener's cursor, negative if it has none; null if there was no such listener. */
  forget(listener: number): number | null {
    const cursor = this.#held.get(listener)?.cursor ?? null;
    this.#held.delete(listener);
    return cursor;
  }

  /** Looks up all labels again, and calls `known` for each container whose labels changed. */
  refresh(): void {
    for (const [listener, held] of this.#held) {
      const labels = this.source.labelsOf(held.state);
      if (equal(labels, held.labels)) continue;
      held.labels = labels;
      this.events.known(listener, containerOf(held.state, labels), profileOf(held.state).filter, held.cursor);
    }
  }

  close(): void {
    this.source.close?.();
  }

  /** Reports unknown labels, once for each container. */
  #sayUnknown(listener: number, state: ContainerState): void {
    const held = this.#held.get(listener);
    if (held?.state !== state || held.labels !== null || this.#unknown.has(state.id)) return;
    if (this.#unknown.size >= MAX_SAID) this.#unknown.clear();
    this.#unknown.add(state.id);
    const why = this.source.why?.(state) ?? "they were not handed over";
    this.events.say(
      new CountersignError("LABELS_UNKNOWN", `the labels of container \`${state.id}\` are not known: ${why}`, {
        remedy: "correct what `--labels` names; until the labels are known, every label scope matches this container",
      }),
    );
  }
}

/** Maximum number of reported ids. When it is reached, the set is cleared. */
const MAX_SAID = 10_000;

/** Whether two sets of labels are equal; their order does not matter. */
function equal(one: Labels | null, other: Labels | null): boolean {
  if (one === null || other === null) return one === other;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && one[key] === other[key])
  );
}
