import { ERRNO } from "../../errno.js";
import { Attr } from "../call/attr.js";
import { isObstacle, type Obstacle } from "../call/rules.js";
import type { Task } from "../call/task.js";
import { addressOf } from "../sys/libc.js";
import type { Memory } from "../threads/blocking-op.js";
import { BY_ID, BY_LINK, type Field, type Layout, type None, type Role } from "./fields.js";
import { copyTexts } from "./texts.js";

/** A command's attr with everything behind its pointers, copied once: what is decided on is what is carried out. */
export interface Copy {
  readonly given: Attr;
  /** The attr to carry out, with pointers and fds of the gate. Bytes that no field names are zero. */
  readonly attr: Attr;
  /** The gate's copies of fds by what they are of; a negative errno where the task has none of that number. */
  readonly fds: ReadonlyMap<Role, number>;
  /** What was copied in, by the offset of its pointer; a text without its NUL. */
  readonly bytes: ReadonlyMap<number, Uint8Array>;
  /** Texts that are listed; null where there are none. */
  readonly texts: readonly Uint8Array[] | null;
  /** Memory that `attr` points to: it lives as long as this does. */
  readonly held: Memory[];
  /** What the kernel writes to, with the field that it is for. */
  readonly rooms: readonly { readonly field: Field & { is: "out" }; readonly room: Uint8Array }[];
}

/**
 * Copies what the fields of a command name. A negative errno where the kernel would refuse it unseen, or the task's
 * memory does not hold it; an obstacle where the gate does not know what it is asked for: whatever no field names must
 * be zero.
 */
export function copyFields(
  task: Task,
  given: Attr,
  layout: Layout,
  handledOffsets: readonly number[],
): Copy | Obstacle | number {
  const attr = new Attr(given.size, layout.size);
  const copy = {
    given,
    attr,
    fds: new Map<Role, number>(),
    bytes: new Map<number, Uint8Array>(),
    texts: null as readonly Uint8Array[] | null,
    held: [] as Memory[],
    rooms: [] as { field: Field & { is: "out" }; room: Uint8Array }[],
  };
  const stranger = firstUnknown(given, layout, handledOffsets);
  if (stranger !== null)
    return {
      rule: "unknown_field",
      reason: `the gate does not know byte ${stranger} of its bpf_attr, which is not zero`,
    };
  const point = (at: number, bytes: Memory) => {
    const kept = bytes.byteLength === 0 ? NOTHING : bytes;
    copy.held.push(kept);
    attr.setPointer(at, addressOf(kept));
  };
  for (const field of layout.fields) {
    const { at } = field;
    switch (field.is) {
      case "value": {
        const value = given.u32(at);
        if (field.most !== undefined && value > field.most)
          return { rule: "repeat", reason: `${value} repetitions are more than the gate allows, ${field.most}` };
        attr.bytes.set(given.bytes.subarray(at, at + (field.size ?? 4)), at);
        break;
      }
      case "fd": {
        if (isNone(given, at, field.none)) {
          attr.setU32(at, given.u32(at)); // for the kernel to refuse what should be none
          break;
        }
        const fd = task.fd(given.s32(at));
        copy.fds.set(field.role, fd);
        attr.setU32(at, Math.max(-1, fd) >>> 0);
        break;
      }
      case "relative": {
        const number = given.s32(at);
        const flags = given.u32(field.flags);
        const byFd = (flags & BY_ID) === 0 && (number !== 0 || (flags & BY_LINK) !== 0);
        attr.setU32(at, (byFd ? Math.max(-1, task.fd(number)) : number) >>> 0);
        break;
      }
      case "in": {
        const count = given.u32(field.length);
        attr.setU32(field.length, count);
        if (given.u64(at) === 0n) break;
        if (count > field.most) return -field.errno;
        const bytes = task.read(given.u64(at), count * (field.each ?? 1))?.slice();
        if (bytes === undefined) return -ERRNO.EFAULT;
        copy.bytes.set(at, bytes);
        point(at, bytes);
        break;
      }
      case "out": {
        const length = given.u32(field.length);
        attr.setU32(field.length, length);
        if (given.u64(at) === 0n) break;
        // a length of 0 does not bound what the kernel writes (bpf_test_finish of net/bpf/test_run.c), and is the gate's then
        const room = new Uint8Array(length === 0 && !field.text ? field.most : Math.min(length, field.most));
        copy.rooms.push({ field, room });
        point(at, room);
        if (!field.text || length > 0) attr.setU32(field.length, room.byteLength);
        break;
      }
      case "result":
        break;
      case "text": {
        if (given.u64(at) === 0n) break;
        const text = task.readString(given.u64(at), field.most);
        if (text === null) return -ERRNO.EFAULT;
        copy.bytes.set(at, text);
        point(at, Uint8Array.of(...text, 0));
        break;
      }
      case "texts": {
        const count = given.u32(field.count);
        attr.setU32(field.count, count);
        if (given.u64(at) === 0n) break;
        const listed = copyTexts(task, given.u64(at), count);
        if (typeof listed === "number" || isObstacle(listed)) return listed;
        copy.texts = listed.texts;
        copy.held.push(...listed.held);
        point(at, listed.pointers);
        break;
      }
    }
  }
  return copy;
}

/** Where there are no bytes but a pointer all the same. */
const NOTHING = new Uint8Array(8);

function isNone(given: Attr, at: number, none: None | undefined): boolean {
  if (none === undefined) return false;
  return none === "zero" ? given.u32(at) === 0 : (given.u32(none.flags) & none.bit) === 0;
}

/**
 * The first byte that is not zero and belongs to no field; `handledOffsets` are those of words that a plan resolves.
 */
function firstUnknown(given: Attr, { size, fields }: Layout, handledOffsets: readonly number[]): number | null {
  const named = new Uint8Array(size);
  for (const at of handledOffsets) named.fill(1, at, at + 4);
  for (const field of fields) {
    named.fill(1, field.at, field.at + sizeOf(field));
    if ("length" in field) named.fill(1, field.length, field.length + 4);
    if ("count" in field) named.fill(1, field.count, field.count + 4);
  }
  const found = given.bytes.findIndex((byte, at) => byte !== 0 && at < size && named[at] === 0);
  return found < 0 ? null : found;
}

function sizeOf(field: Field): number {
  if (field.is === "value") return field.size ?? 4;
  return field.is === "fd" || field.is === "relative" || field.is === "result" ? 4 : 8;
}

/**
 * Gives the task what the kernel wrote: its texts and bytes, and then its fields of attr, so far as the task's attr has
 * them. False where the task has no memory there.
 */
export function writeBack(task: Task, address: bigint, { given, attr, rooms }: Copy, { fields }: Layout): boolean {
  for (const { field, room } of rooms) {
    const end = field.text ? room.indexOf(0) + 1 || room.byteLength : Math.min(attr.u32(field.length), room.byteLength);
    if (!task.write(given.u64(field.at), room.subarray(0, end))) return false;
  }
  return fields
    .filter(({ is, at }) => is === "result" && given.size >= at + 4)
    .every(({ at }) => task.write(address + BigInt(at), attr.bytes.subarray(at, at + 4)));
}
