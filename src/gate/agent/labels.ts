import { readFileSync, statSync } from "node:fs";
import { hostname } from "node:os";
import type { Container } from "../../policy/current.js";
import type { ContainerState } from "./container-state.js";
import type { LabelSource, Labels } from "./label-source.js";

/** Where labels come from, by the name on the command line; what they take is what follows the name there. */
export const SOURCES = {
  annotations: (prefix: string) => fromAnnotations(prefix || LABEL_PREFIX),
  crio: () => fromCrio,
  kubernetes: fromKubernetes,
  file: fromFile,
} as const;

export type SourceName = keyof typeof SOURCES;

/** The prefix of annotations that are labels, unless another one is named. */
const LABEL_PREFIX = "label.countersign/";

/** What policies see of a container. */
export function containerOf(state: ContainerState, labels: Labels | null): Container {
  const name = NAMES.map((key) => state.annotations[key]).find((value) => value !== undefined) ?? null;
  return { id: state.id, name, labels, annotations: state.annotations };
}

/** Annotations that name a container: of containerd's CRI plugin, and of CRI-O. */
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

/** A JSON object in an annotation; unknown where it is not there or is none. */
const fromCrio: LabelSource = {
  labelsOf: ({ annotations }) => asLabels(parse(annotations["io.kubernetes.cri-o.Labels"] ?? "")),
};

/** `{ "id": { "tier": "edge" } }`, read again when it has changed. A container that is not in it has unknown labels. */
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

/** The labels of pods, from the Kubernetes API: of a node that is named, or of NODE_NAME, or of this machine's name. */
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
