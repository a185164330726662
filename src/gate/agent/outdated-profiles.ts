import type { Warning } from "../../warning.js";
import type { ContainerState } from "./container/container-state.js";
import { isOutdated } from "./container/profile.js";

/** A warning for each container that is served although its profile is that of an earlier version. */
export function outdatedWarnings(states: readonly ContainerState[]): readonly Warning[] {
  const ids = new Set(states.filter(isOutdated).map(({ id }) => id));
  return Array.from(ids, (id) => ({
    code: "PROFILE_OUTDATED",
    message:
      `container \`${id}\` has a seccomp profile of an earlier version, under which its tasks can answer their own ` +
      "calls once the agent has ended",
    place: null,
    remedy: "start the container again with deploy/seccomp.json or deploy/seccomp-fast.json of this version",
  }));
}
