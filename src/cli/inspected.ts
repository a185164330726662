import type { Anatomy } from "../bpf/anatomy.js";
import type { ObjectFacts } from "../bpf/facts.js";
import type { Need } from "../bpf/kernel-needs.js";

/** One file and its facts. */
export interface Inspected {
  readonly file: string;
  readonly facts: ObjectFacts;
  /** One for each program; empty if not requested. */
  readonly wholes: readonly Whole[];
  /** The BTF file in which names were looked up; null if none was. */
  readonly kernel: string | null;
}

/** A program's anatomy, and the names that it needs and the kernel's BTF lacks; null if there is no kernel BTF. */
export interface Whole extends Anatomy {
  readonly missing: readonly Need[] | null;
}
