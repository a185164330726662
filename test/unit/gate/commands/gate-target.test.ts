import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { mappedUid, missesGate, TARGETING } from "../../../../src/gate/commands/gate-target.js";
import { Notification } from "../../../../src/gate/task/blocking/notification.js";
import { NOTIFICATION_SIZE } from "../../../../src/sys/seccomp.js";

/** A call with these arguments. */
function notification(call: number, ...words: readonly bigint[]): Notification {
  const view = new DataView(new ArrayBuffer(NOTIFICATION_SIZE));
  view.setInt32(16, call, true);
  for (const [index, word] of words.entries()) view.setBigUint64(32 + 8 * index, word, true);
  return new Notification(new Uint8Array(view.buffer));
}

const NUMBERS = Object.keys(TARGETING).map(Number);
const PERF_EVENT_OPEN = 298;
/** setpriority and ioprio_set, with their kinds of a process, a group and a user. */
const KINDS: Readonly<Record<number, readonly bigint[]>> = { 141: [0n, 1n, 2n], 251: [1n, 2n, 3n] };
const NOBODY = 0x3fff_ffffn;
const own = BigInt(process.pid);
const WIDE = 1n << 32n;

/** Such a call of one process; a pointer in the third register. */
const of = (number: number, pid: bigint) => {
  if (number === PERF_EVENT_OPEN) return notification(number, 8n, pid, 0n, 0n, 0n);
  const kinds = KINDS[number];
  return kinds === undefined ? notification(number, pid, 0n, 8n) : notification(number, kinds[0]!, pid);
};

describe.skipIf(process.platform !== "linux")("a call that names another process", () => {
  it.each(NUMBERS)("misses the gate if it names none of its threads: %d", (number) => {
    expect(missesGate(of(number, NOBODY))).toBe(true);
    expect(missesGate(of(number, 0xffff_ffffn))).toBe(true);
  });

  it.each(NUMBERS)("can reach it if it names one of them, in a register however wide: %d", (number) => {
    for (const tid of readdirSync("/proc/self/task").map(BigInt))
      expect([missesGate(of(number, tid)), missesGate(of(number, WIDE | tid))]).toEqual([false, false]);
  });

  it("can reach the gate by any process group or user", () => {
    for (const [number, kinds] of Object.entries(KINDS))
      for (const kind of kinds.slice(1))
        for (const id of [0n, own, NOBODY]) expect(missesGate(notification(Number(number), kind, id))).toBe(false);
  });

  it("cannot change the gate if it only reads limits, or is of a kind that the kernel does not know", () => {
    expect(missesGate(notification(302, own, 0n, 0n))).toBe(true);
    for (const [number, kind] of [
      [141, 3n],
      [251, 0n],
      [251, 4n],
    ] as const)
      expect(missesGate(notification(number, kind, own))).toBe(true);
  });
});

const hasNamespaces = spawnSync("unshare", ["--user", "true"]).status === 0;

describe("a performance event", () => {
  it("misses the gate if it is the caller's, of all processes or of a cgroup, whose fd has any number", () => {
    const event = (pid: bigint, flags: bigint) => notification(PERF_EVENT_OPEN, 8n, pid, 0n, 0n, flags);
    for (const flags of [0n, 8n, WIDE | 4n, 12n])
      for (const pid of [0n, 0xffff_ffffn, WIDE | 0xffff_ffffn, 0x8000_0000n | own])
        expect(missesGate(event(pid, flags))).toBe(true);
    expect([missesGate(event(own, 4n)), missesGate(event(own, 12n))]).toEqual([true, true]);
    expect([missesGate(event(own, 8n)), missesGate(event(own, WIDE << 2n))]).toEqual([false, false]);
  });
});

describe.skipIf(!hasNamespaces)("a uid of a task", () => {
  const inNamespace = async (map: readonly string[], see: (pid: number) => void) => {
    const child = spawn("unshare", ["--user", ...map, "sh", "-c", "echo here; read wait"]);
    try {
      await once(child.stdout, "data");
      see(child.pid ?? 0);
    } finally {
      child.stdin.end();
      await once(child, "close");
    }
  };

  it("is the gate's if the task has no user namespace of its own", () => {
    for (const uid of [0, 1, 65534]) expect(mappedUid(process.pid, uid)).toBe(uid);
  });

  it("is mapped to the gate's, or is nobody", () =>
    inNamespace(["--map-root-user"], (pid) => {
      expect([mappedUid(pid, 0), mappedUid(pid, 1)]).toEqual([process.getuid?.(), Number.NaN]);
    }));

  it("may be the gate's as long as nothing is mapped", () =>
    inNamespace([], (pid) => {
      expect(mappedUid(pid, 4711)).toBe(process.getuid?.());
    }));
});
