import { bpf } from "./bpf.js";
import { addressOf, keepAlive } from "./libc.js";

/** BPF_MAP_UPDATE_ELEM: map_fd 0 · key 8 · value 16 · flags 24; BPF_MAP_FREEZE: map_fd 0 (linux/bpf.h). */
const MAP_UPDATE_ELEM = 2;
const MAP_FREEZE = 22;

/**
 * Freezes a map: user space can no longer write to it by any fd or mapping. Returns 0 or a negative errno: EPERM if
 * this fd has no write permission, EBUSY if the map is being written to, is mapped for writing, or is frozen already.
 */
export function freeze(fd: number): number {
  return bpf(MAP_FREEZE, new Uint8Array(Uint32Array.of(fd).buffer));
}

/** Writes element 0 of an array map. `value` has the map's value size. Returns 0 or a negative errno. */
export function setFirstValue(fd: number, value: Uint8Array): number {
  const key = new Uint32Array(1);
  const attr = new DataView(new ArrayBuffer(32));
  attr.setUint32(0, fd, true);
  attr.setBigUint64(8, BigInt(addressOf(key)), true);
  attr.setBigUint64(16, BigInt(addressOf(value)), true);
  return bpf(MAP_UPDATE_ELEM, keepAlive(new Uint8Array(attr.buffer), key, value));
}
