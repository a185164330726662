/**
 * Who asks. `comm` and `exe` are the task's own claims: not to be trusted alone. Names are those that policies see.
 */
export interface Current {
  readonly pid: number;
  readonly tid: number;
  /** In the host's user namespace, as are euid and gid. */
  readonly uid: number;
  readonly euid: number;
  readonly gid: number;
  readonly comm: string;
  readonly exe: string | null;
  readonly cgroup: string | null;
  /** Names of effective capabilities, `CAP_BPF` and so on. */
  readonly capabilities: readonly string[];
  /** Namespace kind to inode number, as in /proc/PID/ns. */
  readonly namespaces: Readonly<Record<string, number>>;
  readonly container: Container | null;
}

export interface Container {
  readonly id: string;
  readonly name: string | null;
  /** null when a resolver did not answer: labels are then unknown, and every label scope matches. */
  readonly labels: Readonly<Record<string, string>> | null;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Root on the host, with an unknown executable: scopes by `exe` match, scopes by container or labels do not. */
export const ROOT_ON_HOST: Current = {
  ...{ pid: 0, tid: 0, uid: 0, euid: 0, gid: 0, comm: "", exe: null, cgroup: null },
  capabilities: [],
  namespaces: {},
  container: null,
};

/**
 * Fields of `current` as they cross into a policy: numbers by themselves, all else as JSON when it is read, a
 * container's by field.
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

/** Those whose keys are free: kinds of namespaces, and what the container's owner chose. */
export const CURRENT_RECORDS = [
  "namespaces",
  "container.labels",
  "container.annotations",
] as const satisfies readonly (typeof CURRENT_OTHERS)[number][];
