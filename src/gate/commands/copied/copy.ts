import { addressOf } from "../../../sys/libc.js";
import { Attr, UNREADABLE } from "../../call/attr.js";
import { deny } from "../../call/failure.js";
import type { Memory } from "../../task/blocking/blocking-op.js";
import type { Task } from "../../task/task.js";
import { BY_ID, BY_LINK, type Field, type Layout, type None, type Role } from "./fields.js";
import { copyTexts } from "./texts.js";

/**
 * A copy of a command's attr and of everything that it points to. The gate decides on this copy and passes it to the
 * kernel.
 */
export interface Copy {
  readonly given: Attr;
  /**
   * The attr that the gate passes to the kernel, with the gate's pointers and fds. Bytes that belong to no field are
   * zero.
   */
  readonly attr: Attr;
  /** The gate's copies of the task's fds by role; a negative errno if the task does not have the fd. */
  readonly fds: ReadonlyMap<Role, number>;
  /** Copied input by the offset of its pointer. A text has no NUL. */
  readonly bytes: ReadonlyMap<number, Uint8Array>;
  /** Texts of a list; null if the command has none. */
  readonly texts: readonly Uint8Array[] | null;
  /** Memory that `attr` points to. Keeping it here protects it from garbage collection. */
  readonly held: Memory[];
  /** Buffers for the kernel's output, each with its field. */
  readonly rooms: readonly { readonly field: Field & { is: "out" }; readonly room: Uint8Array }[];
}

/**
 * Copies a command's attr and the memory and fds that its fields name. For input that cannot be read or is longer than
 * the kernel accepts, attr gets {@link UNREADABLE}: the kernel may ignore the pointer, or check other fields first.
 * Denies the command if a byte that belongs to no field is not zero, or a value is larger than the gate allows.
 */
export function copyFields(task: Task, given: Attr, layout: Layout, handledOffsets: readonly number[]): Copy {
  const attr = new Attr(given.size, layout.attr.size);
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
    deny("unknown_field", `the gate does not know byte ${stranger} of its bpf_attr, which is not zero`);
  const point = (at: number, bytes: Memory) => {
    const kept = bytes.byteLength === 0 ? NOTHING : bytes;
    copy.held.push(kept);
    attr.setPointer(at, addressOf(kept));
  };
  for (const { is, at } of layout.fields) if (is === "result") attr.setU32(at, given.u32(at));
  for (const field of layout.fields) {
    const { at } = field;
    switch (field.is) {
      case "value": {
        const value = given.u32(at);
        if (field.most !== undefined && value > field.most)
          deny("repeat", `${value} repetitions are more than the gate allows, ${field.most}`);
        attr.bytes.set(given.bytes.subarray(at, at + (field.size ?? 4)), at);
        break;
      }
      case "fd": {
        if (isNone(given, at, field.none)) {
          attr.setU32(at, given.u32(at)); // pass it on, so that the kernel rejects a number where none is allowed
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
        if (!given.points(at)) break;
        const bytes = count > field.most ? null : task.read(given.u64(at), count * (field.each ?? 1));
        if (bytes === null) {
          attr.setU64(at, UNREADABLE);
          break;
        }
        const kept = bytes.slice();
        copy.bytes.set(at, kept);
        point(at, kept);
        break;
      }
      case "out": {
        const length = given.u32(field.length);
        attr.setU32(field.length, length);
        if (!given.points(at)) break;
        if (field.text && length > MAX_LOG) {
          attr.setU64(at, UNREADABLE);
          break;
        }
        // without a limit of the task, allocate the maximum and pass that as the length
        const room = new Uint8Array(length === 0 && field.unbounded ? field.most : Math.min(length, field.most));
        copy.rooms.push({ field, room });
        point(at, room);
        attr.setU32(field.length, room.byteLength);
        break;
      }
      case "result":
        break;
      case "text": {
        if (!given.points(at)) break;
        const text = task.readString(given.u64(at), field.most);
        if (text === null) {
          attr.setU64(at, UNREADABLE);
          break;
        }
        copy.bytes.set(at, text);
        point(at, Uint8Array.of(...text, 0));
        break;
      }
      case "texts": {
        const count = given.u32(field.count);
        attr.setU32(field.count, count);
        if (!given.points(at)) break;
        const listed = copyTexts(task, given.u64(at), count);
        if (listed === null) {
          attr.setU64(at, UNREADABLE);
          break;
        }
        copy.texts = listed.texts;
        copy.held.push(...listed.held);
        point(at, listed.pointers);
        break;
      }
    }
  }
  return copy;
}

/** The longest log that bpf_verifier_log_attr_valid (kernel/bpf/log.c) accepts. */
const MAX_LOG = 0xffffffff >>> 2;
/** Target of a pointer that is not NULL and has a length of 0. */
const NOTHING = new Uint8Array(8);

function isNone(given: Attr, at: number, none: None | undefined): boolean {
  if (none === undefined) return false;
  return none === "zero" ? given.u32(at) === 0 : (given.u32(none.flags) & none.bit) === 0;
}

/**
 * Returns the offset of the first byte that is not zero and belongs to no field; null if there is none.
 * `handledOffsets` are offsets of words that a plan resolves.
 */
function firstUnknown(
  given: Attr,
  { attr: { size }, fields }: Layout,
  handledOffsets: readonly number[],
): number | null {
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
 * Writes the kernel's output to the task: first the buffers, then the result fields of attr, if the task's attr is long
 * enough to have them.
 */
export function writeBack(task: Task, address: bigint, { given, attr, rooms }: Copy, { fields }: Layout): void {
  for (const { field, room } of rooms) {
    const end = field.text ? room.indexOf(0) + 1 || room.byteLength : Math.min(attr.u32(field.length), room.byteLength);
    task.write(given.u64(field.at), room.subarray(0, end));
  }
  for (const { is, at } of fields)
    if (is === "result" && given.size >= at + 4) task.write(address + BigInt(at), attr.bytes.subarray(at, at + 4));
}
