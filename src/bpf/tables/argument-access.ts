/** How many bytes a helper or kfunc accesses behind a pointer argument. */
export type Extent =
  /** As many as this argument says (index from 0). */
  | { readonly argument: number }
  /** Always so many. */
  | { readonly bytes: number }
  /** key_size or value_size of the map in the row's `m` argument. */
  | "key"
  | "value"
  | "unknown";

/**
 * When all bytes of the extent were written: whatever happens; if r0 says success (0 or more, as a signed number); the
 * first r0 bytes, if r0 is positive (of the extent, which can be shorter than r0); or never surely. Of a kfunc's result
 * only the low 32 bits count, as a signed number: it returns `int`, and the verifier clears the upper 32 bits.
 */
export type Written = "always" | "on_success" | "result_bytes" | "no";

/**
 * The memory behind one pointer argument of a helper or kfunc. If there is no row for an argument, memory that is read
 * (letter `r`) is read with an unknown extent, and memory that may be written (letter `w`) is not surely written.
 */
export interface ArgumentMemory {
  /** Index of the argument, from 0. */
  readonly index: number;
  readonly extent: Extent;
  /** Whether the kernel reads it, so that the verifier requires it to be initialised. */
  readonly reads: boolean;
  /** It is read only if the map in the row's `m` argument is of this type. */
  readonly readOfMap?: string;
  /** The weakest kernel of 6.1, 6.12, 6.18 and 7.3 decides. */
  readonly written: Written;
  /**
   * Whether the kernel keeps data of its own in these bytes of the stack (a dynptr, an iterator, saved interrupt
   * flags). The verifier lets nothing read them while they are in use. Afterwards a program with CAP_PERFMON can read
   * what the kernel left, whatever the program had written there before the call.
   */
  readonly opaque?: true;
  /** File and function of the kernel's source that show `written`, or the prototype of what is only read. */
  readonly source: string;
}

/** `count` bytes in the argument with this index. */
export const sized = (argument: number): Extent => ({ argument });

export const bytes = (count: number): Extent => ({ bytes: count });

/** Memory that is only read. */
export function reads(index: number, extent: Extent, source: string): ArgumentMemory {
  return { index, extent, reads: true, written: "no", source };
}

/** Memory that is only written. */
export function writes(index: number, extent: Extent, written: Written, source: string): ArgumentMemory {
  return { index, extent, reads: false, written, source };
}

/** Memory that is read and then written. */
export function updates(index: number, extent: Extent, written: Written, source: string): ArgumentMemory {
  return { index, extent, reads: true, written, source };
}

/** Bytes of the stack in which the kernel keeps data of its own. */
export function keeps(index: number, count: number, source: string): ArgumentMemory {
  return { index, extent: bytes(count), reads: false, written: "no", opaque: true, source };
}
