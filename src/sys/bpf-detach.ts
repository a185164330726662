import { bpf } from "./bpf.js";
import { addressOf, keepAlive } from "./libc.js";

const [MAP_DELETE_ELEM, PROG_DETACH, PROG_QUERY, LINK_DETACH] = [3, 9, 16, 34];

/**
 * Detaches a link, which stays with its descriptors and pins (BPF_LINK_DETACH). Returns 0 or a negative errno:
 * EOPNOTSUPP for types of links that the kernel does not detach.
 */
export function detachLink(fd: number): number {
  return bpf(LINK_DETACH, new Uint8Array(Uint32Array.of(fd, 0).buffer));
}

/**
 * Detaches this program, and no other one, from a target: a descriptor, or the number of an interface. `revision` is
 * that of what the target has, if only this state may be changed; 0 otherwise. Returns 0 or a negative errno. struct
 * bpf_attr: target 0 · attach_bpf_fd 4 · attach_type 8 · expected_revision u64 24.
 */
export function detachProgram(target: number, program: number, attachType: number, revision = 0n): number {
  const attr = new DataView(new ArrayBuffer(32));
  attr.setUint32(0, target, true);
  attr.setUint32(4, program, true);
  attr.setUint32(8, attachType, true);
  attr.setBigUint64(24, revision, true);
  return bpf(PROG_DETACH, new Uint8Array(attr.buffer));
}

/** A number that changes with what a target has; 0 if the kernel has none, as for cgroups before Linux 6.17. */
export function attachRevision(target: number, attachType: number): bigint {
  const attr = new DataView(new ArrayBuffer(64));
  attr.setUint32(0, target, true);
  attr.setUint32(4, attachType, true);
  return bpf(PROG_QUERY, new Uint8Array(attr.buffer)) < 0 ? 0n : attr.getBigUint64(56, true);
}

/** Removes an element of a map whose keys are 32-bit numbers. Returns 0 or a negative errno. */
export function deleteElement(map: number, index: number): number {
  const key = Uint32Array.of(index);
  const attr = new DataView(new ArrayBuffer(32));
  attr.setUint32(0, map, true);
  attr.setBigUint64(8, BigInt(addressOf(key)), true);
  return bpf(MAP_DELETE_ELEM, keepAlive(new Uint8Array(attr.buffer), key));
}
