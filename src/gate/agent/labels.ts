import { readFileSync, statSync } from "node:fs";
import { hostname } from "node:os";
import type { Container } from "../../policy/model/current.js";
import type { ContainerState } from "./container/container-state.js";
import type { LabelSource, Labels } from "./container/label-source.js";

/** Label sources by their name on the command line. Each takes the text after the name, as in `file:PATH`. */
export const SOURCES = {
  annotations: (prefix: string) => fromAnnotations(prefix || LABEL_PREFIX),
  crio: () => fromCrio,
  kubernetes: fromKubernetes,
  file: fromFile,
} as const;

export type SourceName = keyof typeof SOURCES;

/** The default prefix of annotations that are labels. */
const LABEL_PREFIX = "label.countersign/";

/** Returns the container for policies. */
export function containerOf(state: ContainerState, labels: Labels | null): Container {
  const name = NAMES.map((key) => state.annotations[key]).find((value) => value !== undefined) ?? null;
  return { id: state.id, name, labels, annotations: state.annotations };
}

/** Annotations with a container's name, set by containerd's CRI plugin and by CRI-O. */
const NAMES = ["io.kubernetes.cri.container-name", "io.kubernetes.cri-o.ContainerName", "io.kubernetes.container.name"];

function fromAnnotations(prefix: string): LabelSource {
  const labelsOf = ({ annotations }: ContainerState) =>
    Object.fromEntries(
      Object.entries(annotations)
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, value]) => [key.slice(prefix.length), value]),
    );
  return { labelsOf };
}

/** Labels are a JSON object in an annotation. They are unknown if the annotation is missing or is no JSON object. */
const fromCrio: LabelSource = {
  labelsOf: ({ annotations }) => asLabels(parse(annotations["io.kubernetes.cri-o.Labels"] ?? "")),
};

/**
 * Labels by container id in a JSON file, such as `{ "id": { "tier": "edge" } }`, which is read again when it changes. A
 * container that is not in the file has unknown labels.
 */
function fromFile(path: string): LabelSource {
  let read = { stamp: "", table: null as Readonly<Record<string, unknown>> | null };
  const labelsOf = ({ id }: ContainerState) => {
    try {
      const { mtimeMs, size, ino } = statSync(path);
      const stamp = `${mtimeMs} ${size} ${ino}`;
      if (stamp !== read.stamp) read = { stamp, table: asObject(parse(readFileSync(path, "utf8"))) };
    } catch {
      return null; // unreadable: unknown
    }
    return read.table !== null && Object.hasOwn(read.table, id) ? asLabels(read.table[id]) : null;
  };
  return { labelsOf };
}

/**
 * Labels of pods from the Kubernetes API. The node is the given one, or else NODE_NAME, or else this machine's name.
 */
async function fromKubernetes(name: string): Promise<LabelSource> {
  const { Pods } = await import("./kubernetes/pods.js");
  return new Pods(name || process.env.NODE_NAME || hostname());
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}

function asLabels(value: unknown): Labels | null {
  const object = asObject(value);
  if (object === null || !Object.values(object).every((label) => typeof label === "string")) return null;
  return object as Labels;
}
