import { readFileSync, statSync } from "node:fs";
import type { Container } from "../policy/current.js";
import type { ContainerState } from "./container-state.js";

export type Labels = Readonly<Record<string, string>>;

/** Finds a container's labels; null where they cannot be told, so that every label scope matches. */
export type Resolver = (state: ContainerState) => Labels | null;

/** Where labels come from, by the name on the command line. */
export const RESOLVERS = {
  annotations: { what: "annotations with a prefix, which is left out", make: fromAnnotations },
  crio: { what: "CRI-O's annotation io.kubernetes.cri-o.Labels", make: () => fromCrio },
  file: { what: "a JSON file: container id to labels", make: fromFile },
} as const;

export type ResolverName = keyof typeof RESOLVERS;

/** The prefix of annotations that are labels, unless another one is named. */
export const LABEL_PREFIX = "label.countersign/";

/** What policies see of a container. */
export function containerOf(state: ContainerState, resolve: Resolver): Container {
  const name = NAMES.map((key) => state.annotations[key]).find((value) => value !== undefined) ?? null;
  return { id: state.id, name, labels: resolve(state), annotations: state.annotations };
}

/** Annotations that name a container: of containerd's CRI plugin, and of CRI-O. */
const NAMES = ["io.kubernetes.cri.container-name", "io.kubernetes.cri-o.ContainerName", "io.kubernetes.container.name"];

function fromAnnotations(prefix: string): Resolver {
  return ({ annotations }) =>
    Object.fromEntries(
      Object.entries(annotations)
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, value]) => [key.slice(prefix.length), value]),
    );
}

/** A JSON object in an annotation; unknown where it is not there or is none. */
const fromCrio: Resolver = ({ annotations }) => asLabels(parse(annotations["io.kubernetes.cri-o.Labels"] ?? ""));

/** `{ "id": { "tier": "edge" } }`, read again when it has changed. A container that is not in it has unknown labels. */
function fromFile(path: string): Resolver {
  let read = { stamp: "", table: null as Readonly<Record<string, unknown>> | null };
  return ({ id }) => {
    try {
      const { mtimeMs, size, ino } = statSync(path);
      const stamp = `${mtimeMs} ${size} ${ino}`;
      if (stamp !== read.stamp) read = { stamp, table: asObject(parse(readFileSync(path, "utf8"))) };
    } catch {
      return null; // unreadable: unknown
    }
    return read.table !== null && Object.hasOwn(read.table, id) ? asLabels(read.table[id]) : null;
  };
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
