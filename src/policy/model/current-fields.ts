import { COUNT, domainsOf, ID, list, named, object, orNull, record, TEXT } from "../../fact-type.js";
import { differs, known, type SubjectFields } from "../../known-fact.js";

/**
 * What is known of the task. Offline it is root on the host unless another is described; the guard does not see it, and
 * of the task that loaded what a scan finds the kernel reports only the uid, and of maps not even that.
 */
const OF_TASK = known({
  offline: differs("it is root on the host, unless another task is described"),
  sealed: differs("the guard cannot see it"),
  scan: differs("it is as offline, with the uid that the kernel reports for a program"),
});

/** The container of the task. */
export const CONTAINER_FIELDS = {
  id: { type: TEXT, doc: "", known: OF_TASK },
  name: { type: orNull(TEXT, "if its runtime gives none"), doc: "", known: OF_TASK },
  labels: {
    type: orNull(record(TEXT), "if the source of labels did not answer: every scope by labels then matches"),
    doc: "",
    known: OF_TASK,
  },
  annotations: { type: record(TEXT), doc: "", known: OF_TASK },
} as const satisfies SubjectFields;

/**
 * The task that an operation is attributed to. The task itself chooses `comm` and can choose `exe`, so neither is proof
 * of identity.
 */
export const CURRENT_FIELDS = {
  pid: { type: ID, doc: "Id of the process, in the gate's pid namespace.", known: OF_TASK },
  tid: { type: ID, doc: "Id of the thread.", known: OF_TASK },
  uid: { type: ID, doc: "Uid in the host's user namespace; so are `euid` and `gid`.", known: OF_TASK },
  euid: { type: ID, doc: "", known: OF_TASK },
  gid: { type: ID, doc: "", known: OF_TASK },
  comm: { type: TEXT, doc: "Name of the thread, which it chooses itself.", known: OF_TASK },
  exe: { type: orNull(TEXT, "if the executable cannot be read"), doc: "Path of the executable.", known: OF_TASK },
  cgroup: { type: orNull(TEXT, "if it cannot be read"), doc: "Path in the cgroup2 hierarchy.", known: OF_TASK },
  capabilities: {
    type: list(named("Capability")),
    doc: "Names of the effective capabilities, such as `CAP_BPF`.",
    known: OF_TASK,
  },
  namespaces: {
    type: record(COUNT),
    doc: "Inode number by kind of namespace, as in /proc/PID/ns.",
    known: OF_TASK,
  },
  container: {
    type: orNull(object("Container", CONTAINER_FIELDS), "for a task on the host"),
    doc: "",
    known: OF_TASK,
  },
} as const satisfies SubjectFields;

/** The domain of each field of the container, and of `current`. */
export const CONTAINER_DOMAINS = domainsOf(CONTAINER_FIELDS);
export const CURRENT_DOMAINS = domainsOf(CURRENT_FIELDS);
