import { CMD } from "../../../bpf/model/commands.js";
import { ERRNO, verdictName } from "../../../errno.js";
import { bpf, elementAt, type KernelMap, mapInfo } from "../../../sys/bpf.js";
import { addressOf, keepAlive } from "../../../sys/libc.js";
import { freeze, setFirstValue } from "../../../sys/map.js";
import { close } from "../../../sys/pidfd.js";
import { Attr, CREATE, LOAD } from "../../call/attr.js";
import type { Call } from "../../call/call.js";
import { deny } from "../../call/failure.js";
import { ARRAY, constantValue, liveFacts, MMAPABLE, RDONLY_PROG } from "../objects/map-subject.js";
import type { LiveLoad } from "./live-load.js";

/**
 * In the load of a program that calls bpf(2), replaces maps by copies that no other program or task can access. The
 * program then runs with the contents that were decided on, even if the task's own map changes. Freezing the task's map
 * is not enough: it stops writes from user space only. An iterator writes to a frozen map, even with BPF_F_RDONLY_PROG
 * (measured on Linux 6.18), and so does a program that was loaded with the map before.
 *
 * Arrays of one element are copied if their contents are facts or, when an attachment in scope freezes maps, if they
 * hold only bytes. Any other map is used unchanged. In a dry run the copies are used only to compute facts. The call is
 * denied if a copy cannot be made. `digest` returns the digest of the load's instructions.
 */
export function withPrivateMaps(call: Call, load: LiveLoad, digest: () => string): LiveLoad {
  const { objects } = call.listener;
  const copies = new Map<number, number>();
  for (const fd of new Set(load.maps.values())) {
    const info = mapInfo(fd);
    if (typeof info === "number") continue; // BTF, or an fd that the kernel will reject
    const constant = constantValue(info, fd, objects.isExclusive(info.id));
    if (constant === null && !(isPlain(info) && call.freezes("bpf_prog_load"))) continue;
    const { memory } = liveFacts(info, null);
    if (!objects.hasRoom(memory, call.settings.mapMemory))
      deny(
        "map_memory",
        `a copy of its map \`${info.name}\` takes ${memory} bytes, more than is left of ${call.settings.mapMemory}`,
      );
    // all turns use the same copy, so its contents are those that were decided on
    const copy = call.task.own(`copy of map ${info.id}`, () => {
      const value = constant ?? elementAt(fd, 0, info.valueSize);
      return value === null ? -ERRNO.EPERM : frozenMap(info, value, Buffer.from(digest(), "hex"));
    });
    const made = copy < 0 ? copy : mapInfo(copy);
    if (typeof made === "number") deny("loader", `its map \`${info.name}\` could not be copied: ${verdictName(made)}`);
    const { tgid: creator, process } = call.task;
    objects.issue({ id: made.id, entry: { creator, process, memory, exclusive: true, withheld: true } });
    copies.set(fd, copy);
  }
  if (copies.size === 0) return load;
  if (!call.settings.audit) substituteFds(load, copies);
  return { ...load, maps: new Map(Array.from(load.maps, ([name, fd]) => [name, copies.get(fd) ?? fd])) };
}

/** Whether a map is an array of one element without flags that give it another function. */
function isPlain({ type, maxEntries, flags }: KernelMap): boolean {
  return type === ARRAY && maxEntries === 1 && (flags & ~(RDONLY_PROG | MMAPABLE)) === 0;
}

/**
 * Creates a frozen map like another map, with this value. From Linux 6.18 on it is exclusive to the program with this
 * digest (excl_prog_hash). An older kernel returns E2BIG for that field if it is outside of its `union bpf_attr`, and
 * otherwise EINVAL (CHECK_ATTR of kernel/bpf/syscall.c). Returns an fd or a negative errno.
 */
function frozenMap(info: KernelMap, value: Uint8Array, digest: Uint8Array): number {
  const exclusive = create(info, digest);
  const isUnknown = exclusive === -ERRNO.E2BIG || exclusive === -ERRNO.EINVAL;
  const copy = isUnknown ? create(info, null) : exclusive;
  if (copy < 0) return copy;
  const failed = setFirstValue(copy, value) || freeze(copy);
  if (failed === 0) return copy;
  close(copy);
  return failed;
}

function create({ keySize, valueSize, flags, name }: KernelMap, digest: Uint8Array | null): number {
  const attr = new Attr(CREATE.size, CREATE.size);
  attr.setU32(CREATE.mapType, ARRAY);
  attr.setU32(CREATE.keySize, keySize);
  attr.setU32(CREATE.valueSize, valueSize);
  attr.setU32(CREATE.maxEntries, 1);
  attr.setU32(CREATE.mapFlags, flags & RDONLY_PROG);
  attr.bytes.set(Buffer.from(name, "latin1"), CREATE.mapName);
  attr.setPointer(CREATE.exclusiveHash, addressOf(digest));
  attr.setU32(CREATE.exclusiveHashSize, digest?.byteLength ?? 0);
  return bpf(CMD.BPF_MAP_CREATE, keepAlive(attr.bytes, digest));
}

/** Opcode and source registers (linux/bpf.h) of instructions that name a map by its fd. */
const LD_IMM64 = 0x18;
const MAP_FD = 1;
const MAP_VALUE = 2;

/**
 * Replaces the fds of the maps by those of their copies, in the instructions and the fd_array that the gate passes to
 * the kernel.
 */
function substituteFds({ attr, held }: LiveLoad, copies: ReadonlyMap<number, number>): void {
  const at = (pointer: number) => {
    const address = attr.u64(pointer);
    const bytes = held.find((each) => each.byteLength > 0 && BigInt(addressOf(each)) === address);
    return new DataView(bytes?.buffer ?? new ArrayBuffer(0), bytes?.byteOffset, bytes?.byteLength);
  };
  const put = (view: DataView, offset: number) => {
    const copy = copies.get(view.getInt32(offset, true));
    if (copy !== undefined) view.setInt32(offset, copy, true);
  };
  const fds = at(LOAD.fdArray);
  for (let offset = 0; offset + 4 <= fds.byteLength; offset += 4) put(fds, offset);
  const insns = at(LOAD.insns);
  for (let offset = 0; offset + 8 <= insns.byteLength; offset += 8) {
    if (insns.getUint8(offset) !== LD_IMM64) continue;
    const source = insns.getUint8(offset + 1) >> 4;
    if (source === MAP_FD || source === MAP_VALUE) put(insns, offset + 4);
    offset += 8;
  }
}
