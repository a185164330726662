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
 * first r0 bytes, if r0 is positive; or never surely.
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
  readonly written: Written;
  /** File and function of the kernel's source that show `written`, or the prototype for what is only read. */
  readonly source: string;
}
