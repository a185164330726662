import type { FactDomain } from "../../fact-type.js";

/**
 * The task that an operation is attributed to, with the field names that policies see. The task itself chooses `comm`
 * and can choose `exe`, so neither is proof of identity.
 */
export interface Current {
  readonly pid: number;
  readonly tid: number;
  /** Uid in the host's user namespace; so are `euid` and `gid`. */
  readonly uid: number;
  readonly euid: number;
  readonly gid: number;
  readonly comm: string;
  readonly exe: string | null;
  readonly cgroup: string | null;
  /** Names of the effective capabilities, such as `CAP_BPF`. */
  readonly capabilities: readonly string[];
  /** Inode number by kind of namespace, as in /proc/PID/ns. */
  readonly namespaces: Readonly<Record<string, number>>;
  readonly container: Container | null;
}

export interface Container {
  readonly id: string;
  readonly name: string | null;
  /** Null if the source of labels did not answer: labels are then unknown, and every scope by labels matches. */
  readonly labels: Readonly<Record<string, string>> | null;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Root on the host with an unknown executable: scopes by `exe` match, scopes by container or labels do not. Offline
 * this is the task that asks unless another is described. A gate uses it for a task that it cannot read, with the
 * task's tid and container, which it knows from the listener.
 */
export const ROOT_ON_HOST: Current = {
  ...{ pid: 0, tid: 0, uid: 0, euid: 0, gid: 0, comm: "", exe: null, cgroup: null },
  capabilities: [],
  namespaces: {},
  container: null,
};

/**
 * How fields of `current` are passed to a policy: numbers as numbers, other fields as JSON when they are read, and each
 * field of the container separately.
 */
export const CURRENT_NUMBERS = ["pid", "tid", "uid", "euid", "gid"] as const satisfies readonly (keyof Current)[];
export const CURRENT_OTHERS = [
  "comm",
  "exe",
  "cgroup",
  "capabilities",
  "namespaces",
  "container.id",
  "container.name",
  "container.labels",
  "container.annotations",
] as const satisfies readonly (keyof Current | `container.${keyof Container}`)[];

/** Fields whose keys are not fixed: kinds of namespaces, and labels and annotations of the container. */
export const CURRENT_RECORDS = [
  "namespaces",
  "container.labels",
  "container.annotations",
] as const satisfies readonly (typeof CURRENT_OTHERS)[number][];

const ID: FactDomain = { kind: "count", most: 0xffff_ffff };
const ANY_TEXT: FactDomain = { kind: "text", names: null, hex: null };
const TEXT_OR_NULL: FactDomain = { kind: "null or", of: ANY_TEXT };

/** The domain of each field of the container, and of `current`. A field without one does not compile. */
export const CONTAINER_DOMAINS: Readonly<Record<keyof Container, FactDomain>> = {
  id: ANY_TEXT,
  name: TEXT_OR_NULL,
  labels: { kind: "null or", of: { kind: "record", of: ANY_TEXT } },
  annotations: { kind: "record", of: ANY_TEXT },
};

export const CURRENT_DOMAINS: Readonly<Record<keyof Current, FactDomain>> = {
  pid: ID,
  tid: ID,
  uid: ID,
  euid: ID,
  gid: ID,
  comm: ANY_TEXT,
  exe: TEXT_OR_NULL,
  cgroup: TEXT_OR_NULL,
  capabilities: { kind: "list", of: ANY_TEXT },
  namespaces: { kind: "record", of: { kind: "count", most: Number.MAX_SAFE_INTEGER } },
  container: { kind: "null or", of: { kind: "object", declared: "Container", fields: CONTAINER_DOMAINS } },
};
