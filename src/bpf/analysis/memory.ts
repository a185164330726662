import type { EvidenceCollector } from "../evidence/evidence-collector.js";
import type { Code } from "../model/code.js";
import type { EffectName } from "../model/facts.js";
import { PROGRAM_TYPE_ROWS, type WritableField } from "../tables/program-types.js";
import { READ_ONLY_CONTEXTS, READ_ONLY_OBJECTS } from "../tables/rejected-stores.js";
import { Addresses } from "./addresses.js";
import { type Context, NO_FIELDS } from "./context.js";
import type { KeptPointers } from "./kept-pointers.js";
import { FOREIGN, type Maps } from "./maps.js";
import type { StackBytes } from "./stack-bytes.js";
import type { Frames } from "./states/frames.js";
import { ANY_OFFSET, ANYTHING, KIND, POINTERS } from "./values/kinds.js";
import type { Values } from "./values/values.js";

/** Effects of a write to a kernel object: it may be a task, a socket, a packet or a flow. */
const OBJECTS: readonly EffectName[] = ["changes_kernel_state", "changes_socket", "writes_packet"];

/** The context in which stores depend on how the program is attached. */
const KPROBE_CONTEXT = PROGRAM_TYPE_ROWS.get("kprobe")?.context;

/** Kinds of memory that hold only numbers. */
const OF_NUMBERS = KIND.PACKET | KIND.PACKET_END | KIND.SOCKET | KIND.BUFFER | KIND.OPTION | KIND.ARENA | KIND.LENT;

/**
 * Kinds of memory that a program of this type and attachment cannot store to, because the kernel rejects the store
 * (rejected-stores.ts).
 */
export function rejectedStores({ type, kernelProbe }: Code): number {
  const context = READ_ONLY_CONTEXTS.has(type) || (type === "kprobe" && kernelProbe === true);
  return (context ? KIND.CTX : 0) | (READ_ONLY_OBJECTS.has(type) ? KIND.OBJECT : 0);
}

/** Reads and writes through pointers. */
export class Memory {
  readonly addresses: Addresses;
  /** What `#intoContext` words: what wrote last into the context, and into which fields; none if not known. */
  #verb = "";
  #fields = NO_FIELDS;
  /** Only evidence that is kept is worded, and no function is made for each store: a program can have a million. */
  readonly #intoContext = (): string => {
    const { name } = this.context.row;
    return `${this.#verb} into ${this.#fields.length === 0 ? name : `${namesOf(this.#fields)} of ${name}`}`;
  };

  constructor(
    readonly values: Values,
    readonly frames: Frames,
    readonly context: Context,
    readonly maps: Maps,
    readonly findings: EvidenceCollector,
    readonly stack: StackBytes,
    /** Kinds to which a store is rejected. Other rules apply to the buffer of a helper. */
    readonly rejected: number,
    readonly keptPointers: KeptPointers,
  ) {
    this.addresses = new Addresses(values, frames, findings);
  }

  /** A load of `size` bytes at `distance` from the target of a pointer; `distance` may be ANY_OFFSET. */
  load(slot: number, pointer: number, distance: number, size: number): number {
    const { values } = this;
    const kinds = values.kinds(pointer);
    const offset = at(values, pointer, distance);
    this.stack.load(slot, pointer, distance, size);
    if (kinds === KIND.STACK) return this.frames.load(values.frame(pointer), offset, size);
    return this.#loadFrom(slot, pointer, kinds, offset, size);
  }

  /** A load through a pointer that may refer to more than a frame. */
  #loadFrom(slot: number, pointer: number, kinds: number, offset: number, size: number): number {
    const { values } = this;
    const small = size === 8 ? values.any : values.any32;
    if ((kinds & POINTERS & ~KIND.FUNCTION) === 0) return this.#readAnywhere(slot);
    let result = -1;
    if ((kinds & KIND.STACK) !== 0)
      result = either(values, result, this.frames.load(values.frame(pointer), offset, size));
    if ((kinds & KIND.CTX) !== 0) result = either(values, result, this.context.load(offset, size));
    if ((kinds & (KIND.KERNEL | KIND.OBJECT | KIND.MAP)) !== 0) {
      this.findings.note("reads_kernel_memory", slot, "reads through a pointer to a kernel object");
      // A number, or PTR_TO_BTF_ID (mark_btf_ld_reg, kernel/bpf/verifier.c).
      result = either(values, result, size === 8 ? values.pointer(KIND.NUMBER | KIND.OBJECT) : small);
    }
    if ((kinds & KIND.USER) !== 0) {
      this.findings.note("reads_user_memory", slot, "reads through a pointer to user memory");
      result = either(values, result, small);
    }
    if ((kinds & (KIND.MAP_VALUE | KIND.MEMORY | KIND.HELD)) !== 0) {
      // Eight bytes of a map's value may be a pointer stored with bpf_kptr_xchg: to a kernel object, or to an object
      // that a program allocated (btf_ld_kptr_type), which then belongs to the map.
      const user = (values.maps(pointer) & this.maps.ofUserMemory) !== 0 ? KIND.USER : 0;
      const shared = values.maps(pointer) & this.maps.shared;
      const held = shared !== 0 ? KIND.HELD : 0;
      const kept = size === 8 ? this.keptPointers.in(kinds, values.maps(pointer)) : 0;
      result = either(
        values,
        result,
        size === 8 ? values.pointer(KIND.NUMBER | KIND.OBJECT | user | held | kept, shared) : small,
      );
    }
    if ((kinds & KIND.ELEMENT) !== 0) result = either(values, result, this.#element(slot, pointer, size));
    if (result < 0 || (kinds & OF_NUMBERS) !== 0) result = either(values, result, small);
    return result;
  }

  /** What the kernel loads in place of a lookup: a pointer to the value, or the map or socket that a map holds. */
  #element(slot: number, pointer: number, size: number): number {
    const { values, maps } = this;
    if (size !== 8) return this.#readAnywhere(slot);
    const bits = values.maps(pointer);
    const held = bits & (maps.ofMaps | maps.ofSockets);
    const kinds = (bits & maps.ofMaps) !== 0 ? KIND.MAP : 0;
    const sockets = (bits & maps.ofSockets) !== 0 ? KIND.SOCKET : 0;
    const plain = (bits & ~held) | (bits & FOREIGN);
    const inner = kinds === 0 ? 0 : maps.innerOf(bits);
    const value = plain === 0 ? 0 : KIND.MAP_VALUE;
    return values.join(values.pointer(kinds | sockets | value, inner | plain), values.constant(0));
  }

  /** A store of `size` bytes of a value. */
  store(slot: number, pointer: number, distance: number, size: number, value: number): void {
    const { values } = this;
    const kinds = values.kinds(pointer);
    const offset = at(values, pointer, distance);
    this.stack.store(pointer, distance, size);
    if (kinds !== KIND.STACK) {
      this.#written(slot, pointer, kinds, offset, size, null);
      this.addresses.stored(slot, kinds, size, value, this.rejected);
    }
    if ((kinds & KIND.STACK) !== 0) this.frames.store(values.frame(pointer), offset, size, value, kinds !== KIND.STACK);
  }

  /** A helper or kfunc may write to memory from the target of a pointer on, except to the kinds in `spared`. */
  fill(slot: number, pointer: number, who: string, spared = 0): void {
    const { values } = this;
    const kinds = values.kinds(pointer) & ~spared;
    if (spared !== 0 && (kinds & POINTERS) === 0) return;
    // NULL: nothing is written.
    if (values.isConstant(pointer) && values.lo(pointer) === 0 && values.hi(pointer) === 0) return;
    if ((kinds & KIND.STACK) !== 0) this.frames.scribble(values.frame(pointer), values.offset(pointer));
    if (kinds !== KIND.STACK) this.#written(slot, pointer, kinds, values.offset(pointer), Infinity, who);
  }

  /**
   * A helper or kfunc may read memory from the target of a pointer on. Pointers to kernel objects are accepted like
   * those to the stack.
   */
  lend(slot: number, pointer: number, who: string, spared = 0): void {
    const kinds = this.values.kinds(pointer) & ~spared;
    if ((kinds & (KIND.KERNEL | KIND.OBJECT)) !== 0)
      this.findings.note("reads_kernel_memory", slot, `lets \`${who}\` read a kernel object`);
    if ((kinds & KIND.USER) !== 0) this.findings.note("reads_user_memory", slot, `lets \`${who}\` read user memory`);
  }

  /** `size` bytes are written by an instruction, or by the helper or kfunc `who`, to memory of these kinds. */
  #written(slot: number, pointer: number, target: number, offset: number, size: number, who: string | null): void {
    const { findings, values } = this;
    const verb = verbOf(who);
    let kinds = target;
    if ((kinds & POINTERS & ~KIND.FUNCTION) === 0) {
      kinds = ANYTHING;
      this.frames.store(-1, ANY_OFFSET, 8, values.any, true);
    } else if (who === null) {
      kinds &= ~this.rejected;
      if (this.context.row === KPROBE_CONTEXT && (target & this.rejected & KIND.CTX) !== 0) findings.asDeclared = true;
    }
    if ((kinds & (KIND.PACKET | KIND.PACKET_END)) !== 0)
      findings.note("writes_packet", slot, `${verb} into the packet`);
    if ((kinds & KIND.CTX) !== 0) this.#contextWritten(slot, offset, size, verb);
    if ((kinds & KIND.OPTION) !== 0) {
      findings.note("writes_ctx", slot, `${verb} into data of the context`);
      findings.note("changes_socket", slot, `${verb} into data of the context, which may be a socket option's`);
    }
    if ((kinds & (KIND.MAP_VALUE | KIND.ARENA | KIND.HELD)) !== 0) {
      const shared = (kinds === ANYTHING ? -1 : values.maps(pointer)) & this.maps.shared;
      if (shared !== 0)
        findings.note(
          "writes_shared_map",
          slot,
          () => `${verb} into ${this.maps.nameShared(shared)}, which it did not bring along`,
        );
    }
    if ((kinds & KIND.LENT) !== 0)
      findings.note("writes_shared_map", slot, `${verb} into memory that it is lent, which may be a map's value`);
    if ((kinds & (KIND.KERNEL | KIND.OBJECT | KIND.MAP | KIND.ELEMENT)) !== 0)
      for (const effect of OBJECTS) findings.note(effect, slot, `${verb} into a kernel object`);
    if ((kinds & KIND.BUFFER) !== 0)
      findings.note("changes_kernel_state", slot, `${verb} into the buffer of a writable tracepoint`);
    if ((kinds & KIND.USER) !== 0) findings.note("writes_user_memory", slot, `${verb} into user memory`);
    if ((kinds & KIND.SOCKET) !== 0) findings.note("changes_socket", slot, `${verb} into a socket`);
  }

  #contextWritten(slot: number, offset: number, size: number, verb: string): void {
    const { context, findings } = this;
    const fields = context.fieldsAt(offset, size);
    this.#fields = offset === ANY_OFFSET ? NO_FIELDS : fields;
    this.#verb = verb;
    findings.note("writes_ctx", slot, this.#intoContext);
    for (const [name, , , ...effects] of fields)
      for (const effect of effects) findings.note(effect, slot, `${verb} into \`${name}\` of ${context.row.name}`);
  }

  /**
   * A load through a value that the analysis takes for a number. The kernel allows no such load, so the analysis has
   * missed a pointer, and any memory may be read.
   */
  #readAnywhere(slot: number): number {
    this.findings.note("reads_kernel_memory", slot, "reads through an unknown pointer");
    this.findings.note("reads_user_memory", slot, "reads through an unknown pointer");
    return this.values.pointer(ANYTHING, -1);
  }
}

/** What an instruction does that writes, or the helper or kfunc `who`. */
function verbOf(who: string | null): string {
  return who === null ? "stores" : `lets \`${who}\` store`;
}

function namesOf(fields: readonly WritableField[]): string {
  return fields.map(([name]) => `\`${name}\``).join(", ");
}

function at(values: Values, pointer: number, distance: number): number {
  const offset = values.offset(pointer);
  return offset === ANY_OFFSET || distance === ANY_OFFSET ? ANY_OFFSET : offset + distance;
}

/** The join of two values of which the first may be none: -1. */
function either(values: Values, before: number, value: number): number {
  return before < 0 ? value : values.join(before, value);
}
