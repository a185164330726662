import { statSync } from "node:fs";
import { ATTACH_TYPES } from "../../bpf/tables/names.gen.js";
import { openFile } from "../../sys/file.js";
import type { CgroupPlace } from "../model/places.js";
import { completeView, incompleteView, type View } from "../model/view.js";
import { mountPoints } from "../mounts/mount-points.js";
import { Opened } from "../reads/opened.js";
import { components, type Reads } from "../reads/reads.js";
import { bigRead, fileResult, namespaceRead, namesRead, textRead } from "../reads/values.js";
import { type AttachedProgram, attachedPrograms, attachedRead } from "./attached-programs.js";

/** The attach types that the kernel looks for in cgroups (to_cgroup_bpf_attach_type of linux/bpf-cgroup.h). */
const IN_CGROUPS = ATTACH_TYPES.flatMap((name, number) =>
  name.startsWith("cgroup_") || name === "lsm_cgroup" ? [number] : [],
);

/** PROC_CGROUP_INIT_INO of linux/proc_ns.h. */
const FIRST_CGROUP_NAMESPACE = 4026531835;

export interface CgroupPlaces {
  readonly places: readonly CgroupPlace[];
  readonly view: View;
}

/** What is attached to each cgroup, by links and without. Cgroups that go meanwhile are left out. */
export function cgroupPlaces(reads: Reads): CgroupPlaces {
  const mountinfo = textRead(reads, "/proc/self/mountinfo", "latin1") ?? "";
  const mount = mountPoints(mountinfo, "cgroup2").find(({ root }) => root === "/");
  const places: CgroupPlace[] = [];
  const name = "cgroups";
  if (mount === undefined)
    return { places, view: incompleteView(name, "the unified hierarchy of cgroups is not mounted") };
  for (const path of cgroupsIn(reads, mount.path, "")) {
    const cgroupId = idOf(reads, `${mount.path}${path}`);
    if (cgroupId === null) continue;
    for (const { attachType, program } of attachedTo(reads, `${mount.path}${path}`))
      places.push({ program, at: "cgroup", attachType, path: path || "/", cgroupId });
  }
  const isFirst = namespaceRead(reads, "self", "cgroup") === FIRST_CGROUP_NAMESPACE;
  const view = isFirst ? completeView(name) : incompleteView(name, "this cgroup namespace hides the cgroups above it");
  return { places, view };
}

/** The paths of a cgroup and those below it; the root has an empty one. */
function* cgroupsIn(reads: Reads, mount: string, path: string): Generator<string> {
  yield path;
  const entries = namesRead(reads, `${mount}${path}`);
  if (typeof entries === "number") return;
  for (const { name, type } of entries) if (type === "folder") yield* cgroupsIn(reads, mount, `${path}/${name}`);
}

/** The inode number, which is the id (kernfs_id_ino of the kernel); null if the cgroup has gone. */
function idOf(reads: Reads, folder: string): bigint | null {
  const name = `${components(folder)}/@inode`;
  const id = bigRead(reads, name, () => fileResult(() => statSync(folder, { bigint: true }).ino));
  return typeof id === "number" ? null : id;
}

/** What is attached to a cgroup; nothing if it has gone. */
function attachedTo(reads: Reads, folder: string): readonly AttachedProgram[] {
  const cgroup = new Opened(() => openFile(folder));
  const found = attachedRead(reads, `${components(folder)}/@programs`, () =>
    cgroup.use((fd) => attachedPrograms(fd, IN_CGROUPS)),
  );
  cgroup.close();
  return typeof found === "number" ? [] : found;
}
