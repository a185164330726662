import { fstatSync } from "node:fs";
import { ERRNO } from "../../../errno.js";
import type { Identity, Impersonator } from "../../../sys/credentials.js";
import { readAt } from "../../../sys/file.js";
import { type Argument, addressOf, syscall } from "../../../sys/libc.js";
import { PAGE, type Room, readMemory, readString, type Span, writeMemory } from "../../../sys/memory.js";
import { lasts, type Waiting } from "../../../sys/seccomp.js";
import { withTicket } from "../../../sys/tickets.js";
import { type FilePath, findPath } from "./file-path.js";
import { type Analysed, type Analysis, analyse } from "./load-analysis.js";

/**
 * An operation that the gate runs for a task and that can block for as long as the task wants: the task can back its
 * memory with userfaultfd(2), and can pass files and paths of a FUSE file system that does not reply (fuse(4)).
 */
export type BlockingOp = Read | ReadPages | ReadString | Write | ReadFile | Identify | FindPath | Make | Analyse;

/** Reads spans of the task's memory. The result is their concatenation. */
interface Read {
  readonly do: "read";
  readonly tid: number;
  readonly spans: readonly Span[];
}

/** Reads whole pages of the task's memory, each by its address. A page that cannot be read is null in the result. */
interface ReadPages {
  readonly do: "pages";
  readonly tid: number;
  readonly addresses: readonly bigint[];
}

/** Reads a NUL-terminated string of at most `limit` bytes from the task's memory. */
interface ReadString {
  readonly do: "string";
  readonly tid: number;
  readonly address: bigint;
  readonly limit: number;
}

/** Writes to the task's memory while the notification `during` is pending. */
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

/** Reads a whole file of at most `limit` bytes. `fd` is the gate's own fd. */
interface ReadFile {
  readonly do: "file";
  readonly fd: number;
  readonly limit: number;
}

/** Finds the identity of the file behind `fd`, which is the gate's own fd. */
interface Identify {
  readonly do: "identify";
  readonly fd: number;
}

/** Finds the path of the file behind `fd`, which is the gate's own fd, in the gate's mount namespace. */
interface FindPath {
  readonly do: "find";
  readonly fd: number;
}

/** Inode number and device number of a file (stat(2)). */
export interface FileIdentity {
  readonly ino: bigint;
  readonly dev: bigint;
}

/** A system call with the task's credentials and namespaces. */
export interface Make {
  readonly do: "call";
  readonly during: Waiting;
  readonly identity: Identity;
  readonly number: number;
  /** Arguments of the system call. A memory object is passed as its address. */
  readonly words: readonly Word[];
  /** Memory that the memory among `words` points to. */
  readonly held: readonly Memory[];
  /** A struct guard_ticket for this load, without a deadline: see {@link withTicket}. Null if none is needed. */
  readonly ticket: Uint8Array | null;
  /** Whether the call looks up a path. A lookup has a deadline; other calls, such as a load, have none. */
  readonly path: boolean;
}

/** Analyses a load. The time depends on the program's length and is bounded by a budget of work. */
export interface Analyse {
  readonly do: "analyse";
  /** Position among the analyses of the call. */
  readonly index: number;
  readonly analysis: Analysis;
}

/** Memory of the gate. A BigUint64Array contains only addresses, of other memory of the same call. */
export type Memory = Uint8Array | BigUint64Array;
export type Word = number | bigint | Memory;

/**
 * The result of each kind of operation. Reads return null if the memory or file cannot be read; `write` returns whether
 * everything was written; `call` returns the result of the system call or -errno.
 */
export interface Outcomes {
  readonly read: Uint8Array | null;
  readonly pages: readonly (Uint8Array | null)[];
  readonly string: Uint8Array | null;
  readonly write: boolean;
  readonly file: Uint8Array | null;
  readonly identify: FileIdentity | null;
  readonly find: FilePath | null;
  readonly call: number;
  readonly analyse: Analysed;
}

export type OutcomeOf<E extends BlockingOp> = Outcomes[E["do"]];

/** What an operation can wait for, as a phrase for the reason of a denial: `task 7 kept PHRASE for 1000 ms`. */
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
  if (op.do === "find") return "path";
  if (op.do === "analyse") return "analysis";
  return op.do === "file" || op.do === "identify" ? "file" : "memory";
}

/**
 * Runs an operation in the calling thread. Before it runs, or between two of its parts, the task may be killed and its
 * id reused. So an operation with an effect checks, just before the effect and after it has opened everything by the
 * task's id, that the notification is still pending (SECCOMP_IOCTL_NOTIF_ID_VALID in seccomp_unotify(2)). `room` is for
 * what it reads.
 */
export function runBlockingOp<E extends BlockingOp>(op: E, impersonator: Impersonator, room?: Room): OutcomeOf<E> {
  return outcome(op, impersonator, room) as OutcomeOf<E>;
}

function outcome(op: BlockingOp, impersonator: Impersonator, room?: Room): Outcomes[keyof Outcomes] {
  switch (op.do) {
    case "read":
      return readMemory(op.tid, op.spans, room);
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
    case "find":
      return findPath(op.fd);
    case "analyse":
      return analyse(op.analysis);
    case "call": {
      const [a, b, c, d, e, f] = op.words as readonly Argument[];
      const make = () =>
        impersonator.runAs(op.identity, () => (lasts(op.during) ? syscall(op.number, a, b, c, d, e, f) : -ERRNO.ESRCH));
      return op.ticket === null ? make() : withTicket(op.ticket, make);
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

/**
 * A pointer within the memory of a call. `within` and `to` are indexes of {@link memoryOf}; `at` and `offset` are byte
 * offsets in them.
 */
interface Pointer {
  readonly within: number;
  readonly at: number;
  readonly to: number;
  readonly offset: number;
}

/**
 * An operation to be sent to another thread. The message copies its memory to other addresses, so the pointers within
 * the memory are listed and set again by {@link deserializeOp}.
 */
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
    // all other memory holds bytes of the task, which contain no address of the gate
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

/** Makes the operation ready to run in the receiving thread: sets its pointers to the addresses of the copies. */
export function deserializeOp({ op, pointers }: SerializedOp): BlockingOp {
  const memory = memoryOf(op);
  const addresses = memory.map(addressOf);
  for (const { within, at, to, offset } of pointers) {
    const { buffer, byteOffset } = memory[within]!;
    new DataView(buffer, byteOffset).setBigUint64(at, BigInt(addresses[to]! + offset), true);
  }
  return op;
}

/** All memory that the system call of an operation can access, without duplicates. */
export function memoryOf(op: BlockingOp): readonly Memory[] {
  if (op.do !== "call") return [];
  const words = op.words.filter((word) => typeof word === "object");
  return [...new Set([...words, ...op.held])];
}
