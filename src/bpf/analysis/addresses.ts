import type { EvidenceCollector } from "../evidence/evidence-collector.js";
import type { Frames } from "./states/frames.js";
import { ALL, addressBytes, lowBytes } from "./values/addresses.js";
import { ANY_OFFSET, KIND, POINTERS } from "./values/kinds.js";
import type { Values } from "./values/values.js";

const EFFECT = "reveals_addresses";

/** What evidence says of memory to which an address is stored, by the kind of the pointer. The first that fits. */
const PLACES: readonly (readonly [kinds: number, name: string])[] = [
  [KIND.MAP_VALUE | KIND.HELD, "a map's value"],
  [KIND.ARENA, "an arena"],
  [KIND.PACKET | KIND.PACKET_END, "the packet"],
  [KIND.CTX | KIND.OPTION, "the context"],
  [KIND.USER, "user memory"],
  [KIND.MEMORY, "memory that it may hand out"],
  [KIND.LENT, "memory that it is lent"],
];

/**
 * Where addresses of the kernel leave a program (`reveals_addresses`). Which values count is in values/addresses.ts.
 * What a program stores outside of its stack counts as handed out, wherever it is: user space can read a map's value or
 * a record, the network a packet, and what becomes of fields of the context and of kernel objects is not followed.
 * The verifier rejects all of these without CAP_PERFMON (`allow_ptr_leaks`; "leaks addr" in kernel/bpf/verifier.c).
 * Comparisons do not count: a branch that depends on an address tells one bit of it.
 */
export class Addresses {
  constructor(
    readonly values: Values,
    readonly frames: Frames,
    readonly findings: EvidenceCollector,
  ) {}

  /** `size` bytes of a value are stored to memory of these kinds, if the kernel does not reject it. */
  stored(slot: number, kinds: number, size: number, value: number, rejected: number): void {
    if ((addressBytes(this.values, value) & lowBytes(size)) === 0) return;
    const known = kinds & POINTERS & ~KIND.FUNCTION;
    const target = known === 0 ? POINTERS : known & ~KIND.STACK & ~rejected;
    if (target === 0) return;
    const place = PLACES.find(([of]) => (target & of) !== 0)?.[1] ?? "a kernel object";
    this.findings.note(EFFECT, slot, () => `stores ${this.#what(value)} into ${place}`);
  }

  /**
   * An operand of an atomic operation. The verifier rejects an address there for any target, also for the stack, where
   * it is only combined with another number.
   */
  combined(slot: number, operand: number): void {
    if (addressBytes(this.values, operand) !== 0)
      this.findings.note(EFFECT, slot, () => `combines memory with ${this.#what(operand)}`);
  }

  /** A number that the helper or kfunc `who` gets. */
  passed(slot: number, value: number, who: string): void {
    if (addressBytes(this.values, value) !== 0)
      this.findings.note(EFFECT, slot, () => `passes ${this.#what(value)} to \`${who}\``);
  }

  /** The helper or kfunc `who` hands out `size` bytes behind a pointer. */
  lent(slot: number, pointer: number, size: number, who: string): void {
    if (this.mayHold(pointer, 0, size)) this.findings.note(EFFECT, slot, `hands an address on the stack to \`${who}\``);
  }

  /** The program ends with this value, of which BPF_PROG_TEST_RUN hands 32 bits to user space. */
  returned(slot: number, value: number): void {
    if ((addressBytes(this.values, value) & lowBytes(4)) !== 0)
      this.findings.note(EFFECT, slot, () => `returns ${this.#what(value)}`);
  }

  /**
   * Whether `size` bytes at a distance from a pointer may have bytes of an address. Only the stack has some: a store of
   * one to other memory has been recorded.
   */
  mayHold(pointer: number, distance: number, size: number): boolean {
    const { values } = this;
    if ((values.kinds(pointer) & KIND.STACK) === 0) return false;
    const offset = values.offset(pointer);
    const at = offset === ANY_OFFSET || distance === ANY_OFFSET ? ANY_OFFSET : offset + distance;
    return this.frames.hasAddress(values.frame(pointer), at, size);
  }

  #what(value: number): string {
    const { values } = this;
    if (addressBytes(values, value) !== ALL) return "part of an address";
    return (values.kinds(value) & POINTERS) === 0 ? "a number that is computed from an address" : "an address";
  }
}
