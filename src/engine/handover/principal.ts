import type { Current } from "../../policy/model/current.js";

/** Who a failure of a policy counts for: a container, a unit or a command. */
export type Principal = string;

/** The command of `countersign run`, and tasks of which neither container nor unit is known. */
export const COMMAND: Principal = "";

/** The first unit of systemd in a cgroup's path: what a task creates below it counts for the same one. */
const UNIT = /^.*?\/([^/]+\.(?:service|scope))(?:\/|$)/;

/** The principal of a caller. Tasks can create processes and cgroups of their own, which do not change it. */
export function principalOf({ container, cgroup }: Pick<Current, "container" | "cgroup">): Principal {
  return container?.id ?? UNIT.exec(cgroup ?? "")?.[1] ?? COMMAND;
}

/** The principal of a gate's call: the container, or the command for none. */
export function principalIn(container: { readonly id: string } | null): Principal {
  return container?.id ?? COMMAND;
}
