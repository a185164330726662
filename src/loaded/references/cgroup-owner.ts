/** Whom a cgroup belongs to. */
export interface CgroupOwner {
  readonly unit: string | null;
  readonly container: string | null;
}

/**
 * Whom a process belongs to, from its /proc/PID/cgroup. The path is that of the unified hierarchy, or else of the one
 * that systemd names. Names are those that systemd and container engines give; a process that may make cgroups can make
 * one with such a name.
 */
export function cgroupOwner(text: string): CgroupOwner {
  const paths = text.split("\n").map((line) => /^\d+:([^:]*):(\/.*)$/.exec(line));
  const path = (controllers: string) => paths.find((found) => found?.[1] === controllers)?.[2] ?? "/";
  const [unified, named] = [path(""), path("name=systemd")];
  const parts = (unified === "/" ? named : unified).split("/");
  return { unit: parts.find((part) => UNIT.test(part)) ?? null, container: containerOf(parts) };
}

/** The first part of a path that is no slice (cg_path_get_unit of systemd). */
const UNIT = /^[^/]+\.(?:service|scope)$/;
/** `ID`, `docker-ID.scope`, `cri-containerd-ID.scope`, `libpod-ID`: an id of the engines has 64 digits. */
const CONTAINER = /^(?:[a-z-]+-)?([0-9a-f]{64})(?:\.scope)?$/;

/** The last part that has an id: a container in a container is in the cgroup of the outer one. */
function containerOf(parts: readonly string[]): string | null {
  return parts.map((part) => CONTAINER.exec(part)?.[1]).findLast((id) => id !== undefined) ?? null;
}
