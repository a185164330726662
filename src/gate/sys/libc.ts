import { CountersignError } from "../../error.js";
import { koffi } from "./native.js";

/** An integer, or memory whose address is passed. Memory stays alive and in place while the call runs. */
export type Argument = number | bigint | NodeJS.ArrayBufferView | null;

/**
 * One system call, on the calling thread (which matters for credentials, namespaces and filters: Linux keeps them for
 * each thread, and libc's wrappers for whole processes are gone around). Gives the result, or a negative errno.
 * syscall(2); numbers from {@link NR}. All registers are 64 bits wide: a bigint is passed as its low 64 bits.
 */
export function syscall(
  number: number,
  a: Argument = 0,
  b: Argument = 0,
  c: Argument = 0,
  d: Argument = 0,
  e: Argument = 0,
  f: Argument = 0,
): number {
  native ??= load();
  const result = native(number, word(a), word(b), word(c), word(d), word(e), word(f));
  return result === -1 ? -koffi().errno() : Number(result);
}

/** The address of memory, as the kernel takes it in structures. Below 2^47 on x86-64, so exact in a number. */
export function addressOf(memory: NodeJS.ArrayBufferView | null): number {
  return memory === null || memory.byteLength === 0 ? 0 : Number(koffi().address(memory));
}

/** Memory of a module's own, which stays where it is: its address is asked for once, and not at every call. */
export class Fixed<T extends NodeJS.ArrayBufferView> {
  readonly address: number;

  constructor(readonly memory: T) {
    this.address = addressOf(memory);
  }
}

/** Throws GATE_UNSUPPORTED where the gate cannot work: its numbers and layouts are those of Linux on x86-64. */
export function requirePlatform(): void {
  if (process.platform === "linux" && process.arch === "x64") return;
  throw new CountersignError(
    "GATE_UNSUPPORTED",
    `the gate does not know \`${process.platform}\` on \`${process.arch}\``,
    {
      remedy: "run it on Linux on x86-64; `countersign check` decides offline everywhere",
    },
  );
}

/** A throwing form for set-up calls, where a failure ends the gate: the errno stands in the message. */
export function must(result: number, doing: string): number {
  if (result >= 0) return result;
  throw new CountersignError("GATE_FAILED", `${doing} failed: errno ${-result}`, {
    remedy: "see docs/errors/GATE_FAILED.md for what the gate needs",
  });
}

type Native = (number: number, ...words: (number | bigint)[]) => number | bigint;

let native: Native | undefined;

function load(): Native {
  requirePlatform();
  const long = "int64";
  return koffi().load(null).func("syscall", long, [long, long, long, long, long, long, long]) as unknown as Native;
}

function word(value: Argument): number | bigint {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return BigInt.asIntN(64, value);
  return addressOf(value);
}
