import type { Host } from "./hosts.js";

/** What becomes of a call: r0 is negative; or fewer bytes are written than the buffer has; or all are. */
export const OUTCOMES = ["fails", "writes_less", "succeeds"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** A call with that outcome, or why there is none. */
export type Arranged = string | { readonly none: string };

/**
 * A helper or kfunc that fills a buffer in the frame of its caller, and calls of it. In their text r6 is the context,
 * `rN = buffer` and `rN = spare` are addresses in the frame, and `rN = size` is the size of the buffer. `out` is a
 * label behind all. `offset(file.f_path)` and `type(int)` stand for what the kernel's BTF says.
 */
export interface Filler {
  /** The name without `bpf_`; that of a kfunc as it is; or `nothing`. */
  readonly name: string;
  readonly host: Host;
  /** Of the buffer, in bytes. */
  readonly size: number;
  /** Further bytes of the frame. */
  readonly spare: number;
  /** Done before the call. */
  readonly setup: string;
  /** The module of a kfunc; null for a helper and for kfuncs of vmlinux. */
  readonly module: string | null;
  readonly outcomes: Readonly<Record<Outcome, Arranged>>;
}

export type Outcomes = readonly [fails: Arranged, less: Arranged, succeeds: Arranged];

export function fills(name: string, host: Host, size: number, of: Outcomes, more: Partial<Filler> = {}): Filler {
  const [fails, writes_less, succeeds] = of;
  return { name, host, size, spare: 0, setup: "", module: null, outcomes: { fails, writes_less, succeeds }, ...more };
}

export const none = (because: string): Arranged => ({ none: because });
export const ALL = none("it writes all bytes or none");

/** Addresses in the memory of the guest's program (marked-stack.c): a short text, a long one, and an end of memory. */
export const USER = { short: 0x20000000, long: 0x20000100, end: 0x20000ff4 };
/** Offsets in the map `text`: of a short text, a text with a number, the number 4, and a long text. */
export const TEXT = { short: 0, number: 16, four: 24, long: 64 } as const;
export const TEXT_BYTES = Buffer.alloc(192);
TEXT_BYTES.write("ab", TEXT.short);
TEXT_BYTES.write("17", TEXT.number);
TEXT_BYTES.writeBigUInt64LE(4n, TEXT.four);
TEXT_BYTES.fill("x", TEXT.long, 191);

const zero = (from: number, size: number) =>
  Array.from({ length: size / 8 }, (_, index) => `*(u64 *)(r10 - ${from - index * 8}) = 0`).join("; ");

/** Bytes at the top of the frame, for the key of a map. Those of `spare` are below, and below them is the buffer. */
export const TOP = 8;

export const cleared = (size: number) => ({ spare: size, setup: zero(TOP + size, size) });

/** Files that the guest has: with a short path, with one of 39 bytes, and with a long one. */
export const PATHS = { short: "/etc/short", exact: `/etc/${"e".repeat(34)}`, long: `/etc/${"l".repeat(60)}` } as const;
