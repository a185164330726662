import type { CountersignError } from "../../../error.js";
import type { ContainerState } from "./container-state.js";

export type Labels = Readonly<Record<string, string>>;

/** Finds containers' labels. */
export interface LabelSource {
  /** Returns a container's current labels; null if they are unknown, and then every label scope matches. */
  labelsOf(state: ContainerState): Labels | null;
  /** Starts to watch for changes, if labels can become known or change after a container was accepted. */
  follow?(listening: LabelsListening): void;
  /** Returns a message that says why a container's labels are unknown. */
  why?(state: ContainerState): string;
  close?(): void;
}

export interface LabelsListening {
  /** Called when the labels of any container may have changed. */
  changed(): void;
  /** Called with problems that the administrator must know. */
  say(error: CountersignError): void;
}
