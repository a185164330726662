import type { Current } from "../../policy/model/current.js";

/** What a command line or a test case says about the task that asks. */
export interface CallerOptions {
  readonly labels: Readonly<Record<string, string>>;
  readonly uid?: number | undefined;
  readonly comm?: string | undefined;
}

/** The task `base` with what the options say. With labels it is in a container, if necessary in one that is made up. */
export function callerWith(base: Current, { labels, uid, comm = base.comm }: CallerOptions): Current {
  const current = { ...base, ...(uid === undefined ? {} : { uid, euid: uid }), comm };
  if (Object.keys(labels).length === 0) return current;
  const container = { id: "check", name: null, annotations: {}, ...base.container };
  return { ...current, container: { ...container, labels: { ...container.labels, ...labels } } };
}
