import { fstatSync } from "node:fs";
import { ERRNO } from "../../errno.js";
import { type Analysed, type Analysis, analyse } from "../load/analysis.js";
import type { Identity, Wardrobe } from "../sys/credentials.js";
import { readAt } from "../sys/file.js";
import { type Argument, addressOf, syscall } from "../sys/libc.js";
import { PAGE, readMemory, readString, type Span, writeMemory } from "../sys/memory.js";
import { lasts, type Waiting } from "../sys/seccomp.js";

/**
 * What the gate does on a task's account, and which therefore can take as long as the task likes: its memory may lie
 * behind userfaultfd, a file or a path in a file system that does not answer (fuse(4)).
 */
export type Errand = Read | ReadPages | ReadString | Write | ReadFile | Identify | Make | Analyse;

/** Spans of the task, one after the other in what comes of it. */
interface Read {
  readonly do: "read";
  readonly tid: number;
  readonly spans: readonly Span[];
}

/** Pages of the task, by their addresses: one errand for as many as there are. */
interface ReadPages {
  readonly do: "pages";
  readonly tid: number;
  readonly addresses: readonly bigint[];
}

/** At most `limit` bytes before a NUL. */
interface ReadString {
  readonly do: "string";
  readonly tid: number;
  readonly address: bigint;
  readonly limit: number;
}

interface Write {
  readonly do: "write";
  readonly tid: number;
  readonly during: Waiting;
  readonly parts: readonly Part[];
}

export interface Part {
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

/** A whole file by the gate's fd for it, of at most `limit` bytes. */
interface ReadFile {
  readonly do: "file";
  readonly fd: number;
  readonly limit: number;
}

/** Which file an fd of the gate's is for. */
interface Identify {
  readonly do: "identify";
  readonly fd: number;
}

/** By its number and its file system's. */
export interface FileIdentity {
  readonly ino: bigint;
  readonly dev: bigint;
}

/** A system call as the task. */
export interface Make {
  readonly do: "call";
  readonly during: Waiting;
  readonly identity: Identity;
  readonly number: number;
  /** Argument registers; memory stands for its address. */
  readonly words: readonly Word[];
  /** What the memory among the words points to in turn. */
  readonly held: readonly Memory[];
  /** Whether it looks up a path, which has a deadline; the kernel itself may take its time, as the verifier does. */
  readonly path: boolean;
}

/** Analyses a load: it takes as long as the program is, within a budget of work. */
export interface Analyse {
  readonly do: "analyse";
  /** Counts the analyses of one call. */
  readonly index: number;
  readonly analysis: Analysis;
}

/** Memory of the gate's; a BigUint64Array holds nothing but addresses, of other memory of the same call. */
export type Memory = Uint8Array | BigUint64Array;
export type Word = number | bigint | Memory;

/**
 * What comes of each kind of errand: null where memory or a file is not there; whether all was written; a result or
 * -errno.
 */
export interface Outcomes {
  readonly read: Uint8Array | null;
  readonly pages: readonly (Uint8Array | null)[];
  readonly string: Uint8Array | null;
  readonly write: boolean;
  readonly file: Uint8Array | null;
  readonly identify: FileIdentity | null;
  readonly call: number;
  readonly analyse: Analysed;
}

export type OutcomeOf<E extends Errand> = Outcomes[E["do"]];

/** What errands can wait for, and how that is told of. The kernel takes its own time, as the verifier does. */
export const WAITS = {
  memory: "its memory from being read or written",
  file: "a file from being read",
  path: "a path from being looked up",
  kernel: "a call from returning",
  analysis: "the analysis of its program from ending",
} as const;
export type Wait = keyof typeof WAITS;

export function waitOf(errand: Errand): Wait {
  if (errand.do === "call") return errand.path ? "path" : "kernel";
  if (errand.do === "analyse") return "analysis";
  return errand.do === "file" || errand.do === "identify" ? "file" : "memory";
}

/**
 * Runs an errand in the calling thread. It may have waited for long before, or between two of its parts, and a task can
 * be killed meanwhile and its id be another one's: what has an effect is done while the wait lasts that it is for,
 * looked at after all that was taken by the task's id, and just before.
 */
export function perform<E extends Errand>(errand: E, wardrobe: Wardrobe): OutcomeOf<E> {
  return outcome(errand, wardrobe) as OutcomeOf<E>;
}

function outcome(errand: Errand, wardrobe: Wardrobe): Outcomes[keyof Outcomes] {
  switch (errand.do) {
    case "read":
      return readMemory(errand.tid, errand.spans);
    case "pages":
      return errand.addresses.map((address) => readMemory(errand.tid, [{ address, length: PAGE }]));
    case "string":
      return readString(errand.tid, errand.address, errand.limit);
    case "write":
      return errand.parts.every(
        ({ address, bytes }) => lasts(errand.during) && writeMemory(errand.tid, address, bytes),
      );
    case "file":
      return readAt(errand.fd, errand.limit);
    case "identify":
      return identify(errand.fd);
    case "analyse":
      return analyse(errand.analysis);
    case "call": {
      const [a, b, c, d, e, f] = errand.words as readonly Argument[];
      return wardrobe.wear(errand.identity, () =>
        lasts(errand.during) ? syscall(errand.number, a, b, c, d, e, f) : -ERRNO.ESRCH,
      );
    }
  }
}

function identify(fd: number): FileIdentity | null {
  try {
    const { ino, dev } = fstatSync(fd, { bigint: true });
    return { ino, dev };
  } catch {
    return null;
  }
}

/** A place in a call's memory where the address of other memory of it stands. */
interface Pointer {
  readonly within: number;
  readonly at: number;
  readonly to: number;
  readonly offset: number;
}

/** An errand that another thread runs: its memory is copied there, and lies elsewhere. */
export interface Parcel {
  readonly errand: Errand;
  readonly pointers: readonly Pointer[];
}

export function pack(errand: Errand): Parcel {
  if (errand.do !== "call") return { errand, pointers: [] };
  const memory = memoryOf(errand);
  const ranges = memory.map((its) => ({ from: BigInt(addressOf(its)), length: BigInt(its.byteLength) }));
  const pointers: Pointer[] = [];
  for (const [within, its] of memory.entries()) {
    const list = its instanceof BigUint64Array;
    // what else is held are the task's own bytes, none of which is an address of the gate's
    if (!list && !errand.words.includes(its)) continue;
    const view = new DataView(its.buffer, its.byteOffset, its.byteLength);
    for (let at = 0; at + 8 <= its.byteLength; at += 8) {
      const address = view.getBigUint64(at, true);
      const to = ranges.findIndex(({ from, length }) =>
        list ? address - from < length && address >= from : address === from,
      );
      if (address !== 0n && to >= 0) pointers.push({ within, at, to, offset: Number(address - ranges[to]!.from) });
    }
  }
  return { errand, pointers };
}

/** An errand as it can be run where it has come to. */
export function unpack({ errand, pointers }: Parcel): Errand {
  const memory = memoryOf(errand);
  const addresses = memory.map(addressOf);
  for (const { within, at, to, offset } of pointers) {
    const { buffer, byteOffset } = memory[within]!;
    new DataView(buffer, byteOffset).setBigUint64(at, BigInt(addresses[to]! + offset), true);
  }
  return errand;
}

/** All memory that an errand's call can write to, each once. */
export function memoryOf(errand: Errand): readonly Memory[] {
  if (errand.do !== "call") return [];
  const words = errand.words.filter((word) => typeof word === "object");
  return [...new Set([...words, ...errand.held])];
}
