import type { EvidenceCollector } from "../evidence/evidence-collector.js";
import { isPoison } from "../insn/insn.js";
import type { Code } from "../model/code.js";
import { EFFECTS } from "../model/facts.js";
import { type FlagEffect, formats, HELPER_ROWS, type HelperRow } from "../tables/helpers.js";
import { NEVER_NULL, OBJECT_HELPERS, OBJECT_KFUNCS } from "../tables/kernel-objects.js";
import { KFUNC_ROWS, type KfuncRow } from "../tables/kfuncs.js";
import { ArgumentBytes, HELPER_ACCESS, KFUNC_ACCESS } from "./argument-bytes.js";
import { CallAddresses } from "./call-addresses.js";
import { Dynptrs } from "./dynptrs.js";
import { formatAt, readsOfFormat } from "./format.js";
import { printedArguments } from "./format-addresses.js";
import { FOREIGN, type Maps } from "./maps.js";
import type { Memory } from "./memory.js";
import type { Frames } from "./states/frames.js";
import { helperTag, intTag } from "./values/call-tags.js";
import { ANY_OFFSET, ANYTHING, GIVEN_MEMORY, GIVEN_OBJECT, KIND } from "./values/kinds.js";
import { bitOf, enumerable, filterSet } from "./values/numbers.js";
import type { Values } from "./values/values.js";

/** Effects of a call on the control flow, which the interpreter carries out. */
export interface Consequences {
  /** A callback runs with these arguments. */
  enter(callback: number, args: readonly number[]): void;
  /** The current function may end here with an unknown value. */
  leave(slot: number, why: string): void;
  /**
   * Whether a tail call may continue as this program of the same object: it has the same type, and its effects are
   * analysed too.
   */
  goesOnAs(program: string): boolean;
  /**
   * The current function may end here by a tail call to another program, whose return value becomes that of this
   * program.
   */
  handOver(slot: number): void;
  /** The whole program may end here. */
  end(slot: number, why: string): void;
}

/**
 * Kinds of values that are structs in a kfunc's prototype but not plain memory: the kfunc's row says what it does with
 * them.
 */
const OBJECTS = KIND.CTX | KIND.MAP | KIND.KERNEL | KIND.OBJECT | KIND.SOCKET;

/** The name of each helper, and what evidence says of its calls, by id: a program can have a million calls. */
const WORDS = HELPER_ROWS.map((row) => row && { name: `bpf_${row.name}`, calls: `calls \`bpf_${row.name}\`` });

/** The effects and results of helper and kfunc calls. */
export class Calls {
  readonly #values: Values;
  readonly #frames: Frames;
  readonly #maps: Maps;
  readonly #findings: EvidenceCollector;
  readonly #dynptrs: Dynptrs;
  readonly #addresses: CallAddresses;
  readonly #arguments: ArgumentBytes;

  constructor(
    readonly code: Code,
    readonly memory: Memory,
    readonly consequences: Consequences,
  ) {
    this.#values = memory.values;
    this.#frames = memory.frames;
    this.#maps = memory.maps;
    this.#findings = memory.findings;
    this.#dynptrs = new Dynptrs(code, memory.values, memory.findings);
    this.#addresses = new CallAddresses(memory);
    this.#arguments = new ArgumentBytes(memory);
  }

  /**
   * Calls the helper with this id, with the register state of the frames. Returns the value of r0 afterwards; -1 if the
   * call cannot be executed.
   */
  helper(slot: number, id: number): number {
    if (isPoison(id)) return -1;
    const row = HELPER_ROWS[id];
    if (row === undefined) {
      this.#findings.anything(slot, `calls helper ${id}, which is not known`);
      return this.#values.pointer(ANYTHING, -1);
    }
    const { name, calls } = WORDS[id]!;
    if (row.name === "tail_call" && this.#tailCall(slot)) return this.#values.any;
    for (const effect of row.effects)
      if (row.harmless) this.#findings.noteHarmless(effect, slot, calls);
      else this.#findings.note(effect, slot, calls);
    if (row.effects.includes("calls_bpf"))
      for (const effect of EFFECTS)
        this.#findings.note(effect, slot, `calls \`${name}\`, through which anything can be done`);
    const { args } = row;
    this.#addresses.helper(slot, row, name);
    this.#arguments.lend(slot, HELPER_ACCESS[id]!, name);
    for (let index = 0; index < args.length; index++) {
      const letter = args[index];
      if (letter === "w") this.memory.fill(slot, this.#argument(index), name);
      else if (letter === "r") this.memory.lend(slot, this.#argument(index), name);
      else if (letter === "z") this.#dynptrs.fill(slot, this.#argument(index), name);
      else if (letter === "f") this.#callback(slot, row, index);
    }
    if (row.writesMap) this.#writesMap(slot, this.#argument(args.indexOf("m")), name);
    if (formats(row)) this.#format(slot, row, name);
    if (row.flag !== null) this.#flagEffect(slot, row.flag, name);
    if (row.effects.includes("tail_calls")) this.consequences.leave(slot, "what a tail call returns is not known");
    const fills = this.#arguments.fill(slot, HELPER_ACCESS[id]!, name);
    const returned = this.#addresses.returned(row, this.#returned(row));
    if (row.returns === "number") return fills ? this.#values.withTag(returned, helperTag(slot)) : returned;
    return NEVER_NULL.has(row.name) ? returned : this.#orNull(returned);
  }

  /**
   * A tail call into a program array that the object defines and whose possible slots it fills completely. Returns
   * false if another program may run: in a live load, with a pinned array, or with an empty slot that user space can
   * fill.
   */
  #tailCall(slot: number): boolean {
    const values = this.#values;
    const array = this.#argument(1);
    const map = values.kinds(array) === KIND.MAP ? this.#maps.only(values.maps(array)) : null;
    if (map?.programs === undefined || !map.own) return false;
    const { programs, max_entries } = map;
    const names = new Set<string>();
    const indexes = indexesOf(values, this.#argument(2), max_entries);
    if (indexes === null) return false;
    for (const index of indexes) {
      const name = programs.get(index);
      if (name === undefined || !this.consequences.goesOnAs(name)) return false;
      names.add(name);
    }
    for (const name of names) {
      if (!this.#findings.handOver(slot, name)) return false;
      this.#findings.noteHarmless("tail_calls", slot, `goes on as \`${name}\``);
    }
    this.#findings.asDeclared = true;
    if (names.size > 0) this.consequences.handOver(slot);
    return true;
  }

  /** A pointer or NULL. On a path where it is NULL, the verifier treats it as the number 0 (mark_ptr_or_null_reg). */
  #orNull(pointer: number): number {
    return this.#values.join(pointer, this.#values.constant(0));
  }

  kfunc(slot: number): number {
    const name = this.code.kfuncAt(slot)?.name ?? null;
    const row = name === null ? undefined : KFUNC_ROWS.get(name);
    if (row === undefined) {
      const which = name === null ? "a kfunc whose name is not known" : `kfunc \`${name}\`, which is not known`;
      this.#findings.anything(slot, `calls ${which}`);
      return this.#values.pointer(ANYTHING, -1);
    }
    for (const effect of row.effects) this.#findings.note(effect, slot, `calls kfunc \`${row.name}\``);
    const access = KFUNC_ACCESS.get(row.name)!;
    this.#arguments.lend(slot, access, row.name);
    this.#kfuncArguments(slot, row);
    this.#addresses.kfunc(slot, row);
    const fills = this.#arguments.fill(slot, access, row.name);
    if (row.ends) this.consequences.end(slot, `\`${row.name}\` ends it with a value of its own`);
    const values = this.#values;
    const maps = values.maps(this.#argument(0));
    switch (row.returns) {
      case "number":
        return fills ? values.withTag(values.any, intTag(slot)) : values.any;
      case "memory":
        return this.#orNull(values.pointer(KIND.MEMORY));
      case "kernel":
        return this.#orNull(values.pointer(OBJECT_KFUNCS.has(row.name) ? GIVEN_OBJECT : GIVEN_MEMORY));
      case "arena":
        return values.pointer(KIND.ARENA | KIND.NUMBER, maps === 0 ? FOREIGN : maps);
      case "slice": {
        const buffer = this.#argument(2);
        // A slice has been filled, in the stack as well. What is stored through it may change any slot of the frame.
        if ((values.kinds(buffer) & KIND.STACK) !== 0 && row.name !== "bpf_dynptr_slice")
          this.#frames.store(values.frame(buffer), ANY_OFFSET, 8, values.pointer(KIND.NUMBER | KIND.ADDRESS), true);
        const own = values.pointer(
          values.kinds(buffer) & ~(KIND.NUMBER | KIND.STACK),
          values.maps(buffer),
          values.offset(buffer),
        );
        const packet = this.#dynptrs.standsForPacket() ? KIND.PACKET : 0;
        const slice = values.pointer(packet | this.#dynptrs.behind(this.#argument(0)));
        return this.#orNull(values.kinds(own) === 0 ? slice : values.join(slice, own));
      }
    }
  }

  #argument(index: number): number {
    return this.#frames.state[index + 1]!;
  }

  /**
   * Applies the effects that follow from the types of a kfunc's arguments. A callback may receive the map values among
   * them.
   */
  #kfuncArguments(slot: number, row: KfuncRow): void {
    const { memory } = this;
    const { args, name } = row;
    const values = this.#values;
    let maps = 0;
    for (let index = 0; index < args.length; index++) {
      const value = this.#argument(index);
      maps |= values.maps(value);
      switch (args[index]) {
        case "w":
          memory.fill(slot, value, name);
          break;
        case "O":
          memory.fill(slot, value, name, KIND.CTX);
          break;
        case "s":
        case "n":
          memory.fill(slot, value, name, OBJECTS);
          break;
        case "r":
          memory.lend(slot, value, name);
          break;
        case "o":
          memory.lend(slot, value, name, OBJECTS);
          break;
        case "d":
          if (!row.reads.includes(index)) this.#dynptrs.fill(slot, value, name);
          break;
        case "m":
          this.#writesMap(slot, value, name);
      }
    }
    for (let index = 0; index < 5; index++) {
      const value = this.#argument(index);
      if ((values.kinds(value) & KIND.FUNCTION) === 0) continue;
      const given = values.pointer(KIND.NUMBER | KIND.MEMORY | (maps === 0 ? 0 : KIND.MAP | KIND.MAP_VALUE), maps);
      this.consequences.enter(value, [given, given, given, given, given]);
    }
  }

  #writesMap(slot: number, map: number, name: string): void {
    const values = this.#values;
    const known = (values.kinds(map) & (KIND.MAP | KIND.MAP_VALUE | KIND.ARENA)) !== 0;
    const maps = known ? values.maps(map) : FOREIGN;
    if ((maps & this.#maps.ofSockets) !== 0)
      this.#findings.note("changes_socket", slot, `calls \`${name}\` on a map of sockets`);
    const shared = maps & this.#maps.shared;
    if (shared === 0) return;
    const which = () => this.#maps.nameShared(shared);
    this.#findings.note(
      "writes_shared_map",
      slot,
      () => `calls \`${name}\` on ${which()}, which it did not bring along`,
    );
  }

  #format(slot: number, row: HelperRow, name: string): void {
    const pointer = this.#argument(row.args.indexOf("t"));
    const text = formatAt(this.#values, this.#frames, this.#maps, pointer);
    this.#addresses.printed(slot, row, printedArguments(text), name);
    const reads = readsOfFormat(text);
    if (reads.kernel) this.#findings.note("reads_kernel_memory", slot, `${reads.because} in \`${name}\``);
    if (reads.user) this.#findings.note("reads_user_memory", slot, `${reads.because} in \`${name}\``);
  }

  #flagEffect(slot: number, flag: FlagEffect, name: string): void {
    const values = this.#values;
    const flags = this.#argument(flag.argument);
    const possible = values.isConstant(flags)
      ? values.lo(flags) & flag.bit
      : filterSet(values.set(flags), (number) => (number & flag.bit) !== 0);
    if (possible !== 0) this.#findings.note(flag.effect, slot, `${flag.does} in \`${name}\``);
  }

  /**
   * Runs a helper's callback with the arguments that the helper passes (set_*_callback_state, kernel/bpf/verifier.c).
   */
  #callback(slot: number, row: HelperRow, index: number): void {
    const values = this.#values;
    const callback = this.#argument(index);
    const given = row.args[index + 1] === "d" ? this.#argument(index + 1) : values.any;
    const of = values.maps(this.#argument(0)) || FOREIGN;
    const map = values.pointer(KIND.MAP, of);
    const key = values.pointer(KIND.MEMORY);
    const value = values.pointer(KIND.MAP_VALUE, of);
    const object = values.pointer(GIVEN_OBJECT);
    const args: Readonly<Record<string, readonly number[]>> = {
      for_each_map_elem: [map, key, value, given],
      timer_set_callback: [map, key, value],
      find_vma: [object, object, given],
      loop: [values.any, given],
      user_ringbuf_drain: [key, given],
    };
    const known = args[row.name];
    if (known === undefined)
      this.#findings.anything(slot, `what \`bpf_${row.name}\` hands to its callback is not known`);
    else this.consequences.enter(callback, known);
  }

  #returned(row: HelperRow): number {
    const values = this.#values;
    switch (row.returns) {
      case "number":
        return values.any;
      case "memory":
        return values.pointer(KIND.MEMORY);
      case "socket":
        return values.pointer(KIND.SOCKET);
      case "kernel":
        if (row.name === "kptr_xchg") return this.#exchanged();
        return values.pointer(OBJECT_HELPERS.has(row.name) ? GIVEN_OBJECT : GIVEN_MEMORY);
      case "dynptr":
        return values.pointer(this.#dynptrs.behind(this.#argument(0)));
      case "map_value":
        return this.#found(values.maps(this.#argument(row.args.indexOf("m"))));
    }
  }

  /**
   * The previous content of a map's value: a kernel object, or one that a program allocated and that belonged to the
   * map.
   */
  #exchanged(): number {
    const maps = this.#values.maps(this.#argument(0)) || FOREIGN;
    const shared = maps & this.#maps.shared;
    return this.#values.pointer(GIVEN_OBJECT | KIND.MEMORY | (shared === 0 ? 0 : KIND.MAP_VALUE), shared);
  }

  /** The result of a lookup in one of these maps: a pointer to a value, or the map or socket that it holds. */
  #found(bits: number): number {
    const values = this.#values;
    const maps = bits === 0 ? FOREIGN : bits;
    let kinds = 0;
    let of = 0;
    if ((maps & this.#maps.ofMaps) !== 0) {
      kinds |= KIND.MAP;
      of |= this.#maps.innerOf(maps);
    }
    if ((maps & this.#maps.ofSockets) !== 0) kinds |= KIND.SOCKET;
    const plain = maps & (~(this.#maps.ofMaps | this.#maps.ofSockets) | FOREIGN);
    if (plain !== 0) {
      kinds |= KIND.MAP_VALUE;
      of |= plain;
    }
    return values.pointer(kinds, of, (kinds & KIND.MAP_VALUE) !== 0 ? 0 : ANY_OFFSET);
  }
}

/** Maximum size of an array for which the possible slots are determined. */
const MOST_SLOTS = 64;

/** The slots of an array that an index may denote. Its low 32 bits count, unsigned. Null if there are too many. */
function indexesOf(values: Values, index: number, slots: number): readonly number[] | null {
  if (values.isConstant(index)) return [values.lo(index) >>> 0].filter((slot) => slot < slots);
  const set = values.set(index);
  const all = Array.from({ length: Math.min(slots, MOST_SLOTS) }, (_, slot) => slot);
  if (enumerable(set)) return all.filter((slot) => (set & bitOf(slot)) !== 0);
  return slots <= MOST_SLOTS ? all : null;
}
