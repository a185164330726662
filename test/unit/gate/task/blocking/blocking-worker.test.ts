import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MessageChannel, type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ERRNO } from "../../../../../src/errno.js";
import { type BlockingOp, type Make, serializeOp } from "../../../../../src/gate/task/blocking/blocking-op.js";
import type { FromBlockingWorker } from "../../../../../src/gate/task/blocking/worker-messages.js";
import { addressOf, syscall } from "../../../../../src/sys/libc.js";
import { NR } from "../../../../../src/sys/numbers.js";
import { threadId } from "../../../../../src/sys/process.js";

// the worker's code runs in the test's thread, with the port that its supervisor would give it
const worker = vi.hoisted(() => ({ port: undefined as MessagePort | undefined, agent: null }));
vi.mock("node:worker_threads", async (original) => ({
  ...(await original<object>()),
  workerData: worker,
}));

const { port1, port2 } = new MessageChannel();
worker.port = port2;

const SIG_SETMASK = 2;
const NOBODYS = { listener: -1, id: 0n };

describe("a blocking worker", () => {
  const started: FromBlockingWorker[] = [];
  beforeAll(async () => {
    if (process.platform !== "linux" || process.arch !== "x64") return;
    await import("../../../../../src/gate/task/blocking/blocking-worker.js");
    syscall(NR.rt_sigprocmask, SIG_SETMASK, BigUint64Array.of(0n), null, 8); // the worker blocks all signals
    for (let next = receiveMessageOnPort(port1); next !== undefined; next = receiveMessageOnPort(port1))
      started.push(next.message);
  });
  afterAll(() => port2.close());

  const run = async (op: BlockingOp) => {
    const result = new Promise<FromBlockingWorker & { is: "result" }>((resolve) => port1.once("message", resolve));
    port1.postMessage(serializeOp(op));
    return result;
  };
  const memory = Buffer.from("text\0and more", "latin1");
  const tid = threadId();
  const at = (offset: number) => BigInt(addressOf(memory) + offset);

  it("says which thread it is before it is ready", (context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
    expect(started.map(({ is }) => is)).toEqual(["started", "opened", "ready"]);
    expect(started[0]).toEqual({ is: "started", tid });
  });

  it("copies memory of a task, and gives null where it has none", async (context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
    const read = await run({
      do: "read",
      tid,
      spans: [
        { address: at(0), length: 4 },
        { address: at(5), length: 3 },
      ],
    });
    expect(Buffer.from(read.outcome as Uint8Array).toString()).toBe("textand");
    expect((read.outcome as Uint8Array).buffer).toBeInstanceOf(SharedArrayBuffer);
    const text = await run({ do: "string", tid, address: at(0), limit: 100 });
    expect(Buffer.from(text.outcome as Uint8Array).toString()).toBe("text");
    const page = at(0) - (at(0) % 4096n);
    const { outcome } = await run({ do: "pages", tid, addresses: [page, 4096n] });
    expect(outcome).toEqual([expect.any(Uint8Array), null]);
    expect((await run({ do: "read", tid, spans: [{ address: 8n, length: 1 }] })).outcome).toBeNull();
  });

  it("reads files as far as their limit, and identifies them", async (context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
    const folder = mkdtempSync(join(tmpdir(), "countersign-worker-"));
    writeFileSync(join(folder, "file"), "contents");
    const fd = openSync(join(folder, "file"), "r");
    const { outcome } = await run({ do: "file", fd, limit: 8 });
    expect(Buffer.from(outcome as Uint8Array).toString()).toBe("contents");
    expect((await run({ do: "file", fd, limit: 7 })).outcome).toBeNull();
    expect((await run({ do: "identify", fd })).outcome).toEqual({ ino: expect.any(BigInt), dev: expect.any(BigInt) });
    closeSync(fd);
    expect((await run({ do: "identify", fd })).outcome).toBeNull();
    rmSync(folder, { recursive: true });
  });

  it("writes and calls nothing for a task that no longer waits", async (context) => {
    if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
    const parts = [{ address: at(0), bytes: Buffer.from("TEXT") }];
    expect((await run({ do: "write", tid, parts, during: NOBODYS })).outcome).toBe(false);
    expect(memory.toString("latin1", 0, 4)).toBe("text");
    const [uid = 0, euid = 0, gid = 0, egid = 0] = [
      process.getuid!(),
      process.geteuid!(),
      process.getgid!(),
      process.getegid!(),
    ];
    const text = Buffer.from("/nowhere\0");
    const identity: Make["identity"] = { capabilities: 0n, uid, euid, gid, egid, enter: null };
    const call: Make = {
      ...{
        do: "call",
        during: NOBODYS,
        identity,
        number: NR.openat,
        words: [0, text, 0, 0],
        held: [],
        ticket: null,
        path: true,
      },
    };
    const { outcome, memory: copies } = await run(call);
    expect(outcome).toBe(-ERRNO.ESRCH);
    expect(Buffer.from(copies[0] as Uint8Array)).toEqual(text);
  });
});
