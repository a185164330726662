import { ERRNO } from "../../src/errno.js";
import type { KernelMap, KernelProgram } from "../../src/sys/bpf.js";
import type { BtfReport, MapTypes } from "../../src/sys/btf.js";

/**
 * What a pretended kernel reports about fds, in place of src/sys. A test file replaces the modules by
 * `vi.mock("…/src/sys/bpf.js", async () => (await import("…/fake-kernel.js")).BPF)`, and {@link FILES}, {@link PIDFD}
 * and {@link MAP} in the same way.
 */
export const kernel = {
  programs: new Map<number, KernelProgram>(),
  maps: new Map<number, KernelMap>(),
  /** The program of each link, by its fd or id. */
  links: new Map<number, number>(),
  /** The ids in use, in ascending order. */
  ids: { program: [], map: [], link: [] } as Record<"program" | "map" | "link", number[]>,
  /** The names of files, for fds that are none of these. */
  names: new Map<number, string>(),
  frozen: new Set<number>(),
  values: new Map<number, Uint8Array>(),
  btfs: new Map<number, BtfReport & { readonly bytes: Uint8Array }>(),
  mapTypes: new Map<number, MapTypes>(),
  /** The BTF of programs, by the program's fd. */
  programBtfs: new Map<number, number>(),
  /** The result of bpf(2). */
  bpf: (_command: number, _attr: Uint8Array): number => -ERRNO.EPERM,
  /** The result of freezing a map. */
  freezes: 0,
  closed: [] as number[],
};

export function resetKernel(): void {
  for (const each of [kernel.programs, kernel.maps, kernel.links, kernel.names, kernel.frozen, kernel.values])
    each.clear();
  for (const each of [kernel.btfs, kernel.mapTypes, kernel.programBtfs]) each.clear();
  kernel.bpf = () => -ERRNO.EPERM;
  kernel.ids = { program: [], map: [], link: [] };
  kernel.freezes = 0;
  kernel.closed = [];
}

const BAD = -ERRNO.EBADF;

export const BPF = {
  bpf: (command: number, attr: Uint8Array) => kernel.bpf(command, attr),
  programInfo: (fd: number) => kernel.programs.get(fd) ?? BAD,
  programNumbers: (fd: number) => kernel.programs.get(fd) ?? BAD,
  mapInfo: (fd: number) => kernel.maps.get(fd) ?? BAD,
  linkedProgram: (fd: number) => kernel.links.get(fd) ?? BAD,
  isFrozen: (fd: number) => kernel.frozen.has(fd),
  elementAt: (fd: number) => kernel.values.get(fd) ?? null,
  btfOf: (fd: number) => kernel.btfs.get(fd)?.bytes ?? null,
  nextObjectId: (kind: "program" | "map" | "link", id: number) =>
    kernel.ids[kind].find((used) => used > id) ?? -ERRNO.ENOENT,
  linkedProgramById: (id: number) => kernel.links.get(id) ?? -ERRNO.ENOENT,
  programExists: () => true,
  mapExists: () => true,
};

/** In place of src/sys/btf. */
export const BTF = {
  btfReport: (fd: number) => kernel.btfs.get(fd) ?? BAD,
  btfById: (wanted: number) => [...kernel.btfs.values()].find(({ id }) => id === wanted)?.bytes ?? null,
  btfReportById: (wanted: number) => [...kernel.btfs.values()].find(({ id }) => id === wanted) ?? -ERRNO.ENOENT,
  nextBtfId: (last: number) => {
    const after = [...kernel.btfs.values()].map(({ id }) => id).filter((id) => id > last);
    return after.length === 0 ? -ERRNO.ENOENT : Math.min(...after);
  },
  mapTypes: (fd: number) => kernel.mapTypes.get(fd) ?? (kernel.maps.has(fd) ? NO_TYPES : BAD),
  programBtfId: (fd: number) => kernel.programBtfs.get(fd) ?? 0,
};

const NO_TYPES: MapTypes = { ifindex: 0, btfId: 0, keyTypeId: 0, valueTypeId: 0, mapExtra: "0" };

export const MAP = {
  freeze: (fd: number) => {
    if (kernel.freezes === 0) kernel.frozen.add(fd);
    return kernel.freezes;
  },
  setFirstValue: () => 0,
};

export const PIDFD = {
  close: (fd: number) => {
    kernel.closed.push(fd);
  },
  processFrom: (_: number, number: number) => number,
};

export const FILES = {
  readLink: (path: string) => nameOf(Number(path.split("/").at(-1))),
  readSmall: () => null,
  openPlainPath: () => 90,
  sealedFile: () => 91,
  PLACE: new Uint8Array(24),
};

function nameOf(fd: number): string | null {
  if (kernel.programs.has(fd)) return "anon_inode:bpf-prog";
  if (kernel.maps.has(fd)) return "anon_inode:bpf-map";
  if (kernel.btfs.has(fd)) return "anon_inode:btf";
  if (kernel.links.has(fd)) return "anon_inode:bpf-link";
  return kernel.names.get(fd) ?? null;
}
