import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { own } from "../../support/workplace.js";
import { HARMLESS } from "./uring-operations.js";

/** What `attack/listener.c` says of its tries, by their names. */
export type Outcomes = Readonly<Record<string, string>>;

export function outcomesOf(stdout: string): Outcomes {
  const lines = stdout.trim().split("\n");
  return Object.fromEntries(
    lines.filter((line) => line !== "ready").map((line) => line.split(": ") as [string, string]),
  );
}

/** Calls without the flag of a listener, which the kernel answers in any case. */
const ORDINARY: Outcomes = {
  "x86-64, none, a filter": "done EINVAL",
  "x86-64, none, NULL": "EFAULT EINVAL",
  "x86-64, none, no memory": "EFAULT EINVAL",
};

const HARMLESS_ONE = `(?:${Object.keys(HARMLESS).join("|")})`;
const HARMLESS_ONLY = `${HARMLESS_ONE}(?: ${HARMLESS_ONE})*`;
const byUring = (pattern: string): Readonly<Record<string, unknown>> => ({
  "io_uring of the task": expect.stringMatching(new RegExp(`^(?:${pattern})$`)),
  "io_uring of a thread of the kernel": expect.stringMatching(new RegExp(`^(?:${pattern})$`)),
});
/** What operations of io_uring do not fail on programs, maps and sockets, on a kernel that has it. */
export const URING = byUring(HARMLESS_ONLY);

/** A task without a gate. */
export const FREE: Outcomes = {
  ...ORDINARY,
  "x86-64, listener, a filter": "LISTENER EINVAL",
  "a load under its own listener": "done",
  "seizing with suspended filters": "done",
};

/** What a task finds that cannot have a listener. */
export interface Held {
  /** What comes of bpf(2). */
  readonly bpf: string;
  /** What comes of the calls that load modules and kernels; that of bpf(2) if this is not given. */
  readonly modules?: string;
  /** What comes of each call of i386 and x32. */
  readonly foreign: string;
  /** Whether commands that only access elements of maps pass the filter. */
  readonly fast: boolean;
  /** Whether it had loaded a program and created a map before. */
  readonly issued: boolean;
  /** Whether its filter has the rules of this version. Otherwise the kernel answers while the listener is open. */
  readonly current?: boolean;
}

export function held({ bpf, modules = bpf, foreign, fast, issued, current = true }: Held): unknown {
  const others = ["i386", "x32"].flatMap((abi) =>
    ["listener", "none"].flatMap((flag) =>
      ["a filter", "NULL", "no memory"].map((pointer) => [`${abi}, ${flag}, ${pointer}`, foreign]),
    ),
  );
  return {
    ...ORDINARY,
    ...Object.fromEntries(others),
    "x86-64, listener, a filter": current ? "EBUSY" : "EBUSY EINVAL",
    "x86-64, listener, NULL": current ? "EFAULT" : "EFAULT EINVAL",
    "x86-64, listener, no memory": current ? "EBUSY" : "EFAULT EINVAL",
    "a load under its own listener": bpf,
    "seizing with suspended filters": "EPERM",
    seizing: expect.any(String),
    "suspending filters": expect.stringMatching(/^E(PERM|SRCH)$/),
    "fds of process 1": expect.stringMatching(/^(none|taken)$/),
    "fds of the gate": expect.stringMatching(/^(none|taken)$/),
    "a signal to process 1": expect.any(String),
    ...byUring(`${HARMLESS_ONLY}|EPERM|ENOSYS`), // an errno: no task may have a ring
    "attaching its program to a socket": issued ? "done" : "EBADF",
    "running its program": bpf,
    "writing to its map": fast ? (issued ? "done" : "EBADF") : bpf,
    "another map": bpf,
    "a load": bpf,
    "a module": modules,
    "a kernel": modules,
  };
}

/** What an earlier version shipped as its profile: without rules for seccomp(2). */
export function oldProfileText(): string {
  const profile = JSON.parse(readFileSync(own("deploy/seccomp.json"), "utf8"));
  const syscalls = profile.syscalls.filter(({ names }: { names: readonly string[] }) => !names.includes("seccomp"));
  return JSON.stringify({ ...profile, listenerMetadata: "countersign", syscalls });
}
