import { fstatSync } from "node:fs";
import { ERRNO } from "../../errno.js";
import { type Analysed, type Analysis, analyse } from "../load/analysis.js";
import type { Identity, Impersonator } from "../sys/credentials.js";
import { readAt } from "../sys/file.js";
import { type Argument, addressOf, syscall } from "../sys/libc.js";
import { PAGE, readMemory, readString, type Span, writeMemory } from "../sys/memory.js";
import { lasts, type Waiting } from "../sys/seccomp.js";

/**
 * What the gate does on a task's account, and which therefore can take as long as the task likes: its memory may lie
 * behind userfaultfd, a file or a path in a file system that does not answer (fuse(4)).
 */
export type BlockingOp = Read | ReadPages | ReadString | Write | ReadFile | Identify | Make | Analyse;

/** Spans of the task, one after the other in what comes of it. */
interface Read {
  readonly do: "read";
  readonly tid: number;
  readonly spans: readonly Span[];
}

/** Pages of the task by address: one operation for all of them. */
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
 * The result of each kind of operation: null if the memory or file cannot be read; whether everything was written; for
 * a call its result or -errno.
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

export type OutcomeOf<E extends BlockingOp> = Outcomes[E["do"]];

/** What operations can wait for, as phrases of a reason. The kernel itself may take long, as its verifier does. */
export const WAITS = {
  memory: "its memory from being read or written",
  file: "a file from being read",
  path: "a path from being looked up",
  kernel: "a call from returning",
  analysis: "the analysis of its program from ending",
} as const;
export type Wait = keyof typeof WAITS;

export function waitOf(op: BlockingOp): Wait {
  if (op.do === "call") return op.path ? "path" : "kernel";
  if (op.do === "analyse") return "analysis";
  return op.do === "file" || op.do === "identify" ? "file" : "memory";
}

/**
 * Runs an operation in the calling thread. Before it runs, or between two of its parts, the task may be killed and its
 * id be reused. So operations with an effect check that the notification is still pending after everything that was
 * opened by the task's id, and just before the effect.
 */
export function runBlockingOp<E extends BlockingOp>(op: E, impersonator: Impersonator): OutcomeOf<E> {
  return outcome(op, impersonator) as OutcomeOf<E>;
}

function outcome(op: BlockingOp, impersonator: Impersonator): Outcomes[keyof Outcomes] {
  switch (op.do) {
    case "read":
      return readMemory(op.tid, op.spans);
    case "pages":
      return op.addresses.map((address) => readMemory(op.tid, [{ address, length: PAGE }]));
    case "string":
      return readString(op.tid, op.address, op.limit);
    case "write":
      return op.parts.every(({ address, bytes }) => lasts(op.during) && writeMemory(op.tid, address, bytes));
    case "file":
      return readAt(op.fd, op.limit);
    case "identify":
      return identify(op.fd);
    case "analyse":
      return analyse(op.analysis);
    case "call": {
      const [a, b, c, d, e, f] = op.words as readonly Argument[];
      return impersonator.runAs(op.identity, () =>
        lasts(op.during) ? syscall(op.number, a, b, c, d, e, f) : -ERRNO.ESRCH,
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

/** An operation for another thread. Its memory is copied there and has other addresses. */
export interface SerializedOp {
  readonly op: BlockingOp;
  readonly pointers: readonly Pointer[];
}

export function serializeOp(op: BlockingOp): SerializedOp {
  if (op.do !== "call") return { op, pointers: [] };
  const memory = memoryOf(op);
  const ranges = memory.map((its) => ({ from: BigInt(addressOf(its)), length: BigInt(its.byteLength) }));
  const pointers: Pointer[] = [];
  for (const [within, its] of memory.entries()) {
    const list = its instanceof BigUint64Array;
    // what else is held are the task's own bytes, none of which is an address of the gate's
    if (!list && !op.words.includes(its)) continue;
    const view = new DataView(its.buffer, its.byteOffset, its.byteLength);
    for (let at = 0; at + 8 <= its.byteLength; at += 8) {
      const address = view.getBigUint64(at, true);
      const to = ranges.findIndex(({ from, length }) =>
        list ? address - from < length && address >= from : address === from,
      );
      if (address !== 0n && to >= 0) pointers.push({ within, at, to, offset: Number(address - ranges[to]!.from) });
    }
  }
  return { op, pointers };
}

/** Makes the operation ready to run in the receiving thread: pointers hold the addresses of the copies. */
export function deserializeOp({ op, pointers }: SerializedOp): BlockingOp {
  const memory = memoryOf(op);
  const addresses = memory.map(addressOf);
  for (const { within, at, to, offset } of pointers) {
    const { buffer, byteOffset } = memory[within]!;
    new DataView(buffer, byteOffset).setBigUint64(at, BigInt(addresses[to]! + offset), true);
  }
  return op;
}

/** All memory that the system call of an operation can write to, each once. */
export function memoryOf(op: BlockingOp): readonly Memory[] {
  if (op.do !== "call") return [];
  const words = op.words.filter((word) => typeof word === "object");
  return [...new Set([...words, ...op.held])];
}
