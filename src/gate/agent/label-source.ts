import type { CountersignError } from "../../error.js";
import type { ContainerState } from "./container-state.js";

export type Labels = Readonly<Record<string, string>>;

/** Finds containers' labels. */
export interface LabelSource {
  /** A container's labels as they are now; null where they cannot be told, so that every label scope matches. */
  labelsOf(state: ContainerState): Labels | null;
  /** Begins to follow labels, where they can become known or change after a container was taken. */
  follow?(listening: LabelsListening): void;
  /** Why a container's labels are not known, for a person. */
  why?(state: ContainerState): string;
  close?(): void;
}

export interface LabelsListening {
  /** Called when some container's labels may be other ones than before. */
  changed(): void;
  /** Called for what a person must know. */
  say(error: CountersignError): void;
}
