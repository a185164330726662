import type { Anatomy } from "../bpf/anatomy.js";
import type { ObjectFacts } from "../bpf/facts.js";
import type { Need } from "../bpf/kernel-needs.js";

/** One file and what is in it. */
export interface Inspected {
  readonly file: string;
  readonly facts: ObjectFacts;
  /** Of each program, where they were asked for. */
  readonly wholes: readonly Whole[];
  /** The BTF file that names were looked up in; null where none was. */
  readonly kernel: string | null;
}

/** A program's anatomy, and what it wants of a kernel and that has not; null where no kernel was asked. */
export interface Whole extends Anatomy {
  readonly missing: readonly Need[] | null;
}
