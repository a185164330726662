import { closeSync, type Dirent, openSync, readdirSync, readFileSync, statSync } from "node:fs";
import { ATTACH_TYPES } from "../../bpf/tables/names.gen.js";
import { queryPrograms } from "../../sys/bpf-objects.js";
import { namespaceOf } from "../../sys/namespace.js";
import type { CgroupPlace } from "../model/places.js";
import { completeView, incompleteView, type View } from "../model/view.js";
import { mountPoints } from "../mounts/mount-points.js";

/** The attach types that the kernel looks for in cgroups (to_cgroup_bpf_attach_type of linux/bpf-cgroup.h). */
const IN_CGROUPS = ATTACH_TYPES.flatMap((name, number) =>
  name.startsWith("cgroup_") || name === "lsm_cgroup" ? [{ name, number }] : [],
);

/** PROC_CGROUP_INIT_INO of linux/proc_ns.h. */
const FIRST_CGROUP_NAMESPACE = 4026531835;

export interface CgroupPlaces {
  readonly places: readonly CgroupPlace[];
  readonly view: View;
}

/** What is attached to each cgroup, by links and without. Cgroups that go meanwhile are left out. */
export function cgroupPlaces(): CgroupPlaces {
  const mount = mountPoints(readFileSync("/proc/self/mountinfo", "latin1"), "cgroup2").find(({ root }) => root === "/");
  const places: CgroupPlace[] = [];
  const name = "cgroups";
  if (mount === undefined)
    return { places, view: incompleteView(name, "the unified hierarchy of cgroups is not mounted") };
  for (const path of cgroupsIn(mount.path, "")) {
    const cgroupId = idOf(`${mount.path}${path}`);
    if (cgroupId === null) continue;
    for (const { attachType, program } of attachedTo(`${mount.path}${path}`))
      places.push({ program, at: "cgroup", attachType, path: path || "/", cgroupId });
  }
  const isFirst = namespaceOf("self", "cgroup") === FIRST_CGROUP_NAMESPACE;
  const view = isFirst ? completeView(name) : incompleteView(name, "this cgroup namespace hides the cgroups above it");
  return { places, view };
}

/** The paths of a cgroup and those below it; the root has an empty one. */
function* cgroupsIn(mount: string, path: string): Generator<string> {
  yield path;
  for (const entry of entriesOf(`${mount}${path}`))
    if (entry.isDirectory()) yield* cgroupsIn(mount, `${path}/${entry.name}`);
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** The inode number, which is the id (kernfs_id_ino of the kernel); null if the cgroup has gone. */
function idOf(folder: string): bigint | null {
  return statSync(folder, { bigint: true, throwIfNoEntry: false })?.ino ?? null;
}

function* attachedTo(folder: string): Generator<{ readonly attachType: string; readonly program: number }> {
  let fd: number;
  try {
    fd = openSync(folder, "r");
  } catch {
    return;
  }
  try {
    for (const { name, number } of IN_CGROUPS) {
      const programs = queryPrograms(fd, number);
      // an attach type that this kernel does not have has no programs
      if (typeof programs === "number") continue;
      for (const program of programs) yield { attachType: name, program };
    }
  } finally {
    closeSync(fd);
  }
}
