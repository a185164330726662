import type { Device } from "../model/objects.js";

/** BPF_OBJ_NAME_LEN of linux/bpf.h. */
const NAME_LENGTH = 16;

/** The name of an object: it ends at the first NUL. */
export function nameAt(info: DataView, offset: number): string {
  return textOf(new Uint8Array(info.buffer, info.byteOffset + offset, NAME_LENGTH));
}

/** A text of C, up to its NUL or to the end of its bytes. */
export function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString("utf8");
}

/** An id; null for 0, which no object has. */
export function idAt(info: DataView, offset: number): number | null {
  const id = info.getUint32(offset, true);
  return id === 0 ? null : id;
}

/** The device that an object was loaded for; null if there is none. */
export function deviceAt(info: DataView, ifindex: number, netns: number): Device | null {
  const number = info.getUint32(ifindex, true);
  return number === 0 ? null : { ifindex: number, netns: info.getBigUint64(netns, true) };
}
