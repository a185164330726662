import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Attr, UNREADABLE } from "../../../src/gate/call/attr.js";
import { copyFields } from "../../../src/gate/commands/copied/copy.js";
import { type Layout, MAX_PROBES } from "../../../src/gate/commands/copied/fields.js";
import { targetOf } from "../../../src/gate/commands/copied/targets.js";
import { copyTexts } from "../../../src/gate/commands/copied/texts.js";
import { COPIED_COMMANDS } from "../../../src/gate/commands/copied-commands.js";
import { InlineExecutor } from "../../../src/gate/task/blocking/op-executor.js";
import { Watch } from "../../../src/gate/task/blocking/watch.js";
import { RemoteTask } from "../../../src/gate/task/remote-task.js";
import { Impersonator } from "../../../src/sys/credentials.js";
import { addressOf } from "../../../src/sys/libc.js";
import { close, openThread } from "../../../src/sys/pidfd.js";
import { failureOf } from "../../support/call-failure.js";

const RUN = COPIED_COMMANDS.BPF_PROG_TEST_RUN.layout;
const BTF = COPIED_COMMANDS.BPF_BTF_LOAD.layout;
const KPROBE_MULTI = 42;
const LINK = COPIED_COMMANDS.BPF_LINK_CREATE.layout;

/** Nothing is ever mapped in the first pages (vm.mmap_min_addr). */
const NOWHERE = 8n;

describe("a command's attr that lies", () => {
  let task: RemoteTask;
  let pidfd: number;

  beforeEach((context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
    pidfd = openThread(process.pid, process.pid);
    // this process is the task whose memory is copied
    const watch = new Watch();
    task = new RemoteTask(process.pid, process.pid, pidfd, new InlineExecutor(watch, new Impersonator()), null, watch, {
      listener: -1,
      id: 0n,
    });
  });
  afterEach(() => {
    task.release();
    close(pidfd);
  });

  const attr = (layout: Layout, words: Readonly<Record<number, number | bigint>>, size = layout.attr.size) => {
    const made = new Attr(size, layout.attr.size);
    for (const [at, value] of Object.entries(words))
      if (typeof value === "bigint") made.setU64(Number(at), value);
      else made.setU32(Number(at), value);
    return made;
  };
  const copy = (layout: Layout, words: Readonly<Record<number, number | bigint>>) =>
    copyFields(task, attr(layout, words), layout, []);
  const kept: Uint8Array[] = [];
  const at = (bytes: Uint8Array) => {
    kept.push(bytes); // as long as its address is in use
    return BigInt(addressOf(bytes));
  };

  it("is passed with a pointer that the kernel cannot read: sizes without end, memory that is not there", () => {
    const pointer = (layout: Layout, words: Readonly<Record<number, number | bigint>>, offset: number) =>
      copy(layout, words).attr.u64(offset);
    expect(pointer(RUN, { 8: 0xffffffff, 16: NOWHERE }, 16)).toBe(UNREADABLE);
    expect(pointer(RUN, { 8: 64, 16: NOWHERE }, 16)).toBe(UNREADABLE);
    expect(pointer(BTF, { 0: NOWHERE, 16: 0xffffffff }, 0)).toBe(UNREADABLE);
    expect(pointer(BTF, { 0: NOWHERE, 16: 16 }, 0)).toBe(UNREADABLE);
    expect(pointer(BTF, { 8: NOWHERE, 20: 0xffffffff }, 8)).toBe(UNREADABLE);
    expect(pointer(COPIED_COMMANDS.BPF_RAW_TRACEPOINT_OPEN.layout, { 0: NOWHERE }, 0)).toBe(UNREADABLE);
  });

  it("is refused where it asks for more than the gate does for anybody", () => {
    expect(failureOf(() => copy(RUN, { 32: 0xffffffff }))).toEqual({
      rule: "repeat",
      reason: "4294967295 repetitions are more than the gate allows, 65536",
    });
  });

  it("is refused where something stands that no field is for, and only there", () => {
    for (let byte = 0; byte < RUN.attr.size; byte += 1) {
      const given = attr(RUN, {});
      given.bytes[byte] = 1;
      const failure = failureOf(() => copyFields(task, given, RUN, []));
      // the four bytes behind batch_size
      if (byte >= 76) expect(failure, String(byte)).toMatchObject({ rule: "unknown_field" });
      else expect(failure, String(byte)).not.toMatchObject({ rule: "unknown_field" });
    }
  });

  it("gives the kernel no address and no fd of the task's", () => {
    const data = Uint8Array.of(1, 2, 3, 4);
    const copied = copy(RUN, { 0: 0x7ffffff0, 8: 4, 12: 0xffffffff, 16: at(data), 24: NOWHERE });
    expect(copied.attr.s32(0)).toBe(-1);
    expect(copied.attr.u64(16)).not.toBe(at(data));
    expect(copied.bytes.get(16)).toEqual(data);
    expect(copied.attr.u64(24)).not.toBe(NOWHERE);
    // what the kernel may write is as much as there is room for
    expect(copied.attr.u32(12)).toBe(copied.rooms[0]?.room.byteLength);
    data[0] = 9;
    expect(copied.bytes.get(16)?.[0]).toBe(1);
  });

  it("leaves the kernel room to write where the task says that there is none", () => {
    const copied = copy(RUN, { 24: NOWHERE });
    expect(copied.attr.u32(12)).toBe(2 ** 20);
    expect(copied.rooms[0]?.room.byteLength).toBe(2 ** 20);
  });

  describe("lists texts", () => {
    const pointers = (...addresses: bigint[]) => new Uint8Array(BigUint64Array.from(addresses).buffer);
    const text = (value: string) => Buffer.from(`${value}\0`);

    it("which are copied, each with a NUL and an address of the gate's", () => {
      const [one, two] = [text("vfs_read"), text("")];
      const listed = copyTexts(task, at(pointers(at(one), at(two), at(one))), 3)!;
      // a text across the end of a page is a Buffer, and any other one a plain Uint8Array
      const texts = listed.texts.map((bytes) => Buffer.from(bytes).toString("latin1"));
      expect(texts).toEqual(["vfs_read", "", "vfs_read"]);
      const [all] = listed.held as [Uint8Array];
      const start = BigInt(addressOf(all));
      const copied = Array.from(new BigUint64Array(listed.pointers.buffer), (address) => Number(address - start));
      expect(copied).toEqual([0, 9, 10]);
      expect(Buffer.from(all).toString("latin1")).toBe("vfs_read\0\0vfs_read\0");
    });

    it("without end, in no memory, or too long", () => {
      expect(copyTexts(task, NOWHERE, 0xffffffff)).toBeNull();
      expect(copyTexts(task, NOWHERE, MAX_PROBES)).toBeNull();
      expect(copyTexts(task, at(pointers(NOWHERE)), 1)).toBeNull();
      expect(copyTexts(task, at(pointers(2n ** 64n - 1n)), 1)).toBeNull();
      expect(failureOf(() => copyTexts(task, at(pointers(at(text("a".repeat(512))))), 1))).toBe(7);
      const longest = copyTexts(task, at(pointers(at(text("a".repeat(511))))), 1);
      expect(longest).toMatchObject({ texts: [{ byteLength: 511 }] });
    });

    it("for kprobes that are counted without end", () => {
      const target = targetOf(KPROBE_MULTI, 0);
      const layout = { ...LINK, fields: [...LINK.fields, ...(target?.fields ?? [])] };
      expect(copy(layout, { 20: 0xffffffff, 24: NOWHERE }).attr.u64(24)).toBe(UNREADABLE);
      expect(copy(layout, { 20: 0xffffffff, 32: NOWHERE }).attr.u64(32)).toBe(UNREADABLE);
      expect(copy(layout, { 20: 2, 40: NOWHERE }).attr.u64(40)).toBe(UNREADABLE);
    });
  });
});
