import { errorName } from "../errno.js";
import { CountersignError } from "../error.js";
import { koffi } from "./native.js";

/** An integer, or memory whose address is passed. Memory stays alive and in place while the call runs. */
export type Argument = number | bigint | NodeJS.ArrayBufferView | null;

/**
 * Makes a system call on the calling thread by syscall(2). Credentials, namespaces and filters are per thread in Linux;
 * this function avoids the wrappers of libc, some of which apply a change to all threads. Returns the result or a
 * negative errno. Numbers are in {@link NR}. A bigint is passed as its low 64 bits.
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

/**
 * Returns the address of memory, for a pointer in a structure; 0 for null or empty memory. Addresses on x86-64 are
 * below 2^47, so a number is exact. An address keeps nothing alive: pass the memory as an argument too, hold it until
 * the call has returned, or use {@link keepAlive}.
 */
export function addressOf(memory: NodeJS.ArrayBufferView | null): number {
  return memory === null || memory.byteLength === 0 ? 0 : Number(koffi().address(memory));
}

const pointedTo = new WeakMap<NodeJS.ArrayBufferView, readonly (NodeJS.ArrayBufferView | null)[]>();

/** Keeps what the pointers in a structure refer to alive as long as the structure itself, which is returned. */
export function keepAlive<T extends NodeJS.ArrayBufferView>(
  structure: T,
  ...memory: readonly (NodeJS.ArrayBufferView | null)[]
): T {
  pointedTo.set(structure, [...(pointedTo.get(structure) ?? []), ...memory]);
  return structure;
}

/** Memory that a module keeps for its whole life, so that its address is looked up only once. */
export class Fixed<T extends NodeJS.ArrayBufferView> {
  readonly address: number;

  constructor(readonly memory: T) {
    this.address = addressOf(memory);
  }
}

/** Throws GATE_UNSUPPORTED unless this is Linux on x86-64, whose system call numbers and structures the gate uses. */
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

/** Throws GATE_FAILED if a system call failed. For calls after whose failure the gate cannot continue. */
export function must(result: number, doing: string): number {
  if (result >= 0) return result;
  const name = errorName(-result);
  throw new CountersignError("GATE_FAILED", `${doing} failed: ${name}`, { remedy: REMEDIES[name] ?? REPORT });
}

const FDS = "raise the limit of open files: `ulimit -n`, or LimitNOFILE= of the unit";
const CAPABILITY = "start the gate as root, and check the capabilities and the seccomp profile that it runs with";
const REPORT = "report this, with the kernel's version (`uname -r`)";

/** What to do after a failed system call, by its error. */
const REMEDIES: Readonly<Record<string, string>> = {
  EMFILE: FDS,
  ENFILE: "raise the limit of open files of the machine: `sysctl fs.file-max`",
  ENOMEM: "give the gate more memory: MemoryMax= of the unit, or the container's limit",
  EPERM: CAPABILITY,
  EACCES: CAPABILITY,
};

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
