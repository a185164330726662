/** What the gate knows of a pod, made of its metadata alone (ObjectMeta of the Kubernetes API). */
export interface Pod {
  readonly uid: string;
  /**
   * The uid that the kubelet gave a static pod, and hands to the runtime: the API knows such a pod by a mirror with a uid of
   * its own and this annotation, `kubernetes.io/config.mirror`. Null for all other pods.
   */
  readonly mirrors: string | null;
  readonly namespace: string;
  readonly name: string;
  /** Null where they are not what labels are: they stay unknown. */
  readonly labels: Readonly<Record<string, string>> | null;
}

/** What a reader of pods tells the agent that started it. */
export type FromReader =
  /** All pods of the node: those that are not among them are gone. */
  | { readonly is: "pods"; readonly pods: readonly Pod[] }
  | { readonly is: "pod"; readonly pod: Pod }
  | { readonly is: "gone"; readonly uid: string }
  /** The API does not answer as it should; said again for each other reason. */
  | { readonly is: "trouble"; readonly reason: string };

/** Labels and annotations that one pod may have together, in UTF-16 units; the API itself bounds annotations at 256 KiB. */
const MAX_LABELS = 64 * 1024;
const MIRROR = "kubernetes.io/config.mirror";

/** A pod of an object with `metadata`; null where it has no uid, namespace or name. */
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

/** An object's fields; none where it is no object. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
