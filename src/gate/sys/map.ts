import { bpf } from "./bpf.js";
import { addressOf } from "./libc.js";

/** BPF_MAP_UPDATE_ELEM: map_fd 0 · key 8 · value 16 · flags 24; BPF_MAP_FREEZE: map_fd 0 (linux/bpf.h). */
const MAP_UPDATE_ELEM = 2;
const MAP_FREEZE = 22;

/**
 * Keeps user space from writing to a map by any fd and any mapping from now on. 0, or a negative errno: EPERM where this fd does not let
 * it be written, EBUSY where it is just being written to or mapped for that, or is frozen already.
 */
export function freeze(fd: number): number {
  return bpf(MAP_FREEZE, new Uint8Array(Uint32Array.of(fd).buffer));
}

/** Writes an array map's element 0. `value` is as long as the map's values are. 0 or a negative errno. */
export function setFirstValue(fd: number, value: Uint8Array): number {
  const key = new Uint32Array(1);
  const attr = new DataView(new ArrayBuffer(32));
  attr.setUint32(0, fd, true);
  attr.setBigUint64(8, BigInt(addressOf(key)), true);
  attr.setBigUint64(16, BigInt(addressOf(value)), true);
  return bpf(MAP_UPDATE_ELEM, new Uint8Array(attr.buffer));
}
