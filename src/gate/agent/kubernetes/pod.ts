/** A pod, from its metadata (ObjectMeta of the Kubernetes API). */
export interface Pod {
  readonly uid: string;
  /**
   * For a static pod: the uid that the kubelet assigned and passes to the runtime. The API shows a static pod as a
   * mirror pod with another uid, and with this one in the annotation `kubernetes.io/config.mirror`. Null for all other
   * pods.
   */
  readonly mirrors: string | null;
  readonly namespace: string;
  readonly name: string;
  /** Null if the labels are malformed or too large; they are then unknown. */
  readonly labels: Readonly<Record<string, string>> | null;
}

/** Messages of the pod reader to the agent that started it. */
export type FromReader =
  /** All pods of the node; any other pod no longer exists. */
  | { readonly is: "pods"; readonly pods: readonly Pod[] }
  | { readonly is: "pod"; readonly pod: Pod }
  | { readonly is: "gone"; readonly uid: string }
  /** A request to the API failed. */
  | { readonly is: "trouble"; readonly reason: string };

/** Maximum total length of the labels of one pod, in UTF-16 code units. */
const MAX_LABELS = 64 * 1024;
const MIRROR = "kubernetes.io/config.mirror";

/** Reads a pod from an object with `metadata`; null if it has no uid, namespace or name. */
export function readPod(value: unknown): Pod | null {
  const { uid, namespace, name, labels = {}, annotations = {} } = recordOf(recordOf(value).metadata);
  if (typeof uid !== "string" || typeof namespace !== "string" || typeof name !== "string") return null;
  if (uid === "" || name === "") return null;
  const mirrors = recordOf(annotations)[MIRROR];
  return { uid, mirrors: typeof mirrors === "string" ? mirrors : null, namespace, name, labels: labelsOf(labels) };
}

function labelsOf(value: unknown): Pod["labels"] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const entries = Object.entries(value);
  let size = 0;
  for (const [key, label] of entries) {
    if (typeof label !== "string") return null;
    size += key.length + label.length;
  }
  return size > MAX_LABELS ? null : Object.fromEntries(entries);
}

/** Returns a value as an object; an empty one if the value is no object. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
