import type { FactsOf } from "../../fact-type.js";
import type { CONTAINER_FIELDS, CURRENT_FIELDS } from "./current-fields.js";

/** The task that an operation is attributed to. */
export type Current = FactsOf<typeof CURRENT_FIELDS>;
export type Container = FactsOf<typeof CONTAINER_FIELDS>;

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

/** The annotations of a container in a recorded request that does not have them: reading them is a fault. */
export const UNKNOWN_ANNOTATIONS: Container["annotations"] = Object.freeze({});

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
