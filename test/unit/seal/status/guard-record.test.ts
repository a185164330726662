import { release } from "node:os";
import { describe, expect, it } from "vitest";
import { NO_CLASSES } from "../../../../src/seal/classes.js";
import { GUARD_HOOKS } from "../../../../src/seal/guard/hooks.js";
import { NEVER_MODULES } from "../../../../src/seal/guard/never-modules.js";
import { denialName, EVENT_HOOKS } from "../../../../src/seal/status/event-hooks.js";
import { decodeEvent, EVENT, eventsNotKept, inOrder } from "../../../../src/seal/status/guard-event.js";
import { guardRecord, guardStart } from "../../../../src/seal/status/guard-record.js";
import { decodeStatus } from "../../../../src/seal/status/guard-status.js";
import { GUARD_REASONS, reasonNumber } from "../../../../src/seal/status/reasons.js";
import { encodeStatus, STATUS } from "../../../../src/seal/status/status-layout.js";
import { wallClock } from "../../../../src/seal/status.js";
import { VERSION } from "../../../../src/version.js";
import { mismatch } from "../../../support/record-schema.js";

function eventBytes(number: bigint, reason: number, hook = 0): Buffer {
  const bytes = Buffer.alloc(EVENT.size);
  bytes.writeBigUInt64LE(number, EVENT.number);
  bytes.writeBigUInt64LE(5_000_000_000n, EVENT.time);
  for (const [at, value] of [
    [EVENT.reason, reason],
    [EVENT.pid, 77],
    [EVENT.uid, 1000],
    [EVENT.gid, 1001],
    [EVENT.hook, hook],
    [EVENT.detail, 3],
    [EVENT.detail + 8, 12],
  ] as const)
    bytes.writeUInt32LE(value, at);
  bytes.write("bpftool", EVENT.comm);
  bytes.write("ab".repeat(32), EVENT.digest, "hex");
  return bytes;
}

const CONTEXT = { mode: "enforce", time: Date.UTC(2026, 0, 2), bootId: "b" } as const;

describe("an event of the guard", () => {
  it("is decoded, and none of an element that was never written", () => {
    expect(decodeEvent(eventBytes(9n, 1))).toEqual({
      ...{ number: 9n, time: 5_000_000_000n, reason: 1, pid: 77, uid: 1000, gid: 1001, hook: 0, detail: [3, 0, 12] },
      ...{ comm: "bpftool", digest: "ab".repeat(32) },
    });
    expect(decodeEvent(Buffer.alloc(EVENT.size))).toBeNull();
    expect(decodeEvent(Buffer.alloc(EVENT.size - 1))).toBeNull();
  });

  it("comes in the order of numbers, wherever the ring begins", () => {
    const ring = [1025n, 1026n, 3n, 4n].map((number) => decodeEvent(eventBytes(number, 1)));
    expect(inOrder([...ring, null]).map(({ number }) => number)).toEqual([3n, 4n, 1025n, 1026n]);
  });

  it.each([
    ...[
      [0, 0, 0],
      [2048, 0, 0],
      [2049, 0, 1],
      [10_000, 0, 10_000 - 2048],
    ],
    ...[
      [10_000, 1024, 10_000 - 2048],
      [10_000, 5000, 10_000 - 1024 - 5000],
      [10_000, 9000, 0],
      [10_000, 20_000, 0],
    ],
  ])("is not kept among the first and the last 1024 of %d, after number %d: %d", (total, after, lost) => {
    expect(eventsNotKept(BigInt(total!), BigInt(after!))).toBe(BigInt(lost!));
  });

  it.each([...GUARD_REASONS.keys(), 31])("with reason %d is a record that the schema allows", (reason) => {
    const record = guardRecord(decodeEvent(eventBytes(9n, reason))!, CONTEXT);
    expect(mismatch(record as never)).toBeNull();
    expect(record).toMatchObject({ verdict: -1, enforced_verdict: -1, denied_by: { code: "DENIED_BY_GUARD" } });
  });

  it.each(NEVER_MODULES.map(({ name }, index) => [name, index + 1] as const))(
    "at hook kernfs_init_security names the module %s",
    (name, number) => {
      const hook = [...EVENT_HOOKS].find(([, row]) => row.name === "kernfs_init_security")![0];
      expect(denialName({ hook, reason: reasonNumber("never"), detail: [number, 0, 0] })).toBe(`module ${name}`);
    },
  );

  it("comes after a record of the writer, which is the same for one boot", () => {
    const start = guardStart({ bootId: "b", since: CONTEXT.time });
    expect(mismatch(start as never)).toBeNull();
    expect(start).toMatchObject({ type: "start", origin: "guard", engine: VERSION, kernel: release() });
    expect(guardStart({ bootId: "b", since: CONTEXT.time }).writer).toBe(start.writer);
    expect(guardStart({ bootId: "c", since: CONTEXT.time }).writer).not.toBe(start.writer);
    expect(guardRecord(decodeEvent(eventBytes(9n, 1))!, CONTEXT).origin).toBe("guard");
  });

  it("has verdict 0 under audit, and the same id each time, which ascends with time", () => {
    const event = decodeEvent(eventBytes(9n, 1))!;
    const audit = guardRecord(event, { ...CONTEXT, mode: "audit" });
    expect(audit).toMatchObject({ mode: "audit", verdict: 0, enforced_verdict: -1 });
    expect(guardRecord(event, CONTEXT).id).toBe(audit.id);
    expect(guardRecord(decodeEvent(eventBytes(10n, 1))!, CONTEXT).id).not.toBe(audit.id);
    expect(guardRecord(event, { ...CONTEXT, bootId: "c" }).id).not.toBe(audit.id);
    expect(guardRecord(event, { ...CONTEXT, time: CONTEXT.time + 1 }).id > audit.id).toBe(true);
  });

  it("says what the program is, whose name the guard does not see", () => {
    expect(guardRecord(decodeEvent(eventBytes(9n, 1, 1))!, CONTEXT).subject).toEqual({
      ...{ kind: "program", name: "type 3, attach type 0, 12 instructions", digest: "ab".repeat(32), path: null },
    });
  });
});

describe("the record of an event", () => {
  const record = (reason: string, hook: number) =>
    guardRecord(decodeEvent(eventBytes(9n, reasonNumber(reason), hook))!, CONTEXT);

  it("has the ids of the caller", () => {
    expect(record("unlisted", 1).current).toMatchObject({ pid: 77, uid: 1000, gid: 1001 });
  });

  it.for([
    ["own_object", "bpf_prog", "program", "type 3, attach type 0, 12 instructions"],
    ["own_object", "bpf_map", "map", "3"],
    ["own_object", "bpf", "command", "command 3"],
    ["own_hook", "bpf", "command", "command 3, attach type 0"],
    ["maps", "bpf_prog_load", "program", "type 3, attach type 0, 12 instructions"],
    ["failure", "bpf_prog", "program", "type 3, attach type 0, 12 instructions"],
    ["module", "kernel_post_read_file", "file", "module of 3 bytes"],
    ["module", "kernel_post_load_data", "file", "module of 3 bytes"],
    ["executable", "bprm_check_security", "file", "executable"],
    ["executable", "mmap_file", "file", "executable"],
    ["agent", "bpf", "command", "command 3"],
    ["kernel_change", "kernel_post_read_file", "file", "file that the kernel reads, kind 3"],
    ["agent", "task_kill", "task", "3"],
    ["mount", "inode_rename", "kernel", "3"],
    ["sysctl", "sysctl", "kernel", "3"],
  ] as const)("with reason %s at %s is about a %s", ([reason, hook, kind, name]) => {
    const [number] = [...EVENT_HOOKS].find(([, { name: each }]) => each === hook)!;
    expect(record(reason, number)).toMatchObject({ hook, subject: { kind, name } });
  });

  it("names the hooks of the guard's programs", () => {
    const names = [...EVENT_HOOKS.values()].map(({ name }) => name);
    expect(names.toSorted()).toEqual([...new Set(GUARD_HOOKS.map(({ hook }) => hook))].toSorted());
    expect(record("unlisted", 99).hook).toBe("hook_99");
  });
});

describe("the status of the guard", () => {
  it("is decoded as it was encoded", () => {
    const given = {
      listEntries: 3,
      generation: 4n,
      configDigest: "aa".repeat(32),
      listDigest: "bb".repeat(32),
      trustedKey: "",
      filesDigest: "cc".repeat(32),
      files: { modules: 0, executables: null },
      modulesByTicket: true,
      classesDigest: "dd".repeat(32),
      classes: { ...NO_CLASSES, mask: { types: [1, 2], helpers: [36] } },
    };
    const bytes = Buffer.from(encodeStatus(given));
    bytes.writeUInt32LE(2, STATUS.words.mode);
    bytes.writeUInt32LE(0b1001, STATUS.words.state);
    bytes.writeBigUInt64LE(6n, STATUS.denied + 8);
    expect(decodeStatus(bytes)).toMatchObject({
      ...{ mode: "enforce", sealed: true, locked: false, signaturesRequired: false, late: true, entries: 3 },
      ...{ generation: 4n, configuration: "aa".repeat(32), list: "bb".repeat(32), trustedKey: null },
    });
    expect(decodeStatus(bytes)).toMatchObject({
      files: { sha256: "cc".repeat(32), modules: 0, executables: null },
      modulesByTicket: true,
      initramfsExempt: false,
      classes: { sha256: "dd".repeat(32), admitted: 0, maskedTypes: 2, maskedHelpers: 1 },
    });
    expect(decodeStatus(bytes)!.denied[1]).toBe(6n);
    expect(decodeStatus(bytes)).toMatchObject({ agent: null, ticketsWritten: 0n, ticketsUsed: 0n });
    bytes.writeBigUInt64LE(7n, STATUS.longs.agent);
    bytes.writeBigUInt64LE(1234n, STATUS.longs.agent_start);
    bytes.writeBigUInt64LE(5n, STATUS.longs.tickets_written);
    bytes.writeBigUInt64LE(4n, STATUS.longs.tickets_used);
    const agent = { pid: 7, start: 1234n };
    expect(decodeStatus(bytes)).toMatchObject({ agent, ticketsWritten: 5n, ticketsUsed: 4n });
    bytes.writeUInt32LE(9, STATUS.words.mode);
    expect(decodeStatus(bytes)).toMatchObject({ mode: null });
    expect(decodeStatus(bytes.subarray(0, STATUS.size - 1))).toBeNull();
  });

  it("has times of CLOCK_BOOTTIME", () => {
    expect(wallClock(5_000_000_000n, 1_000_000, 60_000)).toBe(945_000);
  });
});
