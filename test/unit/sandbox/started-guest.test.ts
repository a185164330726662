import { describe, expect, it } from "vitest";
import { SHAPE } from "../../../src/policy/domain.js";
import { engineCode } from "../../../src/sandbox/quickjs/engine.js";
import { PAGE } from "../../../src/sandbox/quickjs/memory-image.js";
import { Module } from "../../../src/sandbox/quickjs/module.js";
import { Runtime } from "../../../src/sandbox/runtime.js";
import type { GuestShape } from "../../../src/sandbox/start.js";
import { EncodedSubjects } from "../../../src/sandbox/subjects/encoded-subjects.js";
import { FUNCTIONS, link } from "../../support/guest.js";
import { task } from "../../task.js";

const LIMITS = { steps: 1_000_000, timeout: 10_000, memory: 8 * 1024 * 1024, stack: 128 * 1024 };
const POLICY = `export const blob_verify = (blob) => {
  const all = [];
  for (let i = 0; i < 99; i++) all.push({ i });
  return -all.length;
};`;
("export const blob_verify = (blob) => { const all = []; for (let i = 0; i < 99; i++) all.push({ i }); return -all.length; };");
/** An engine of its own: no other test has made an image for it. */
const engine = () => ({ ...engineCode() });

let shapes = 0;
/** A shape that no test has used. */
const newShape = (): GuestShape => ({ ...SHAPE, keyrings: [`k${shapes++}`] });

function runtimeOf(code = engine(), shape = newShape(), { limits = LIMITS, policy = POLICY } = {}) {
  return new Runtime(new Module(code), link(policy).source, limits, shape, new EncodedSubjects([]));
}

/** The module's memory. */
function bytes({ module }: Runtime): Buffer {
  return Buffer.from(module.memory.wasm.buffer.slice(0));
}

/** Bytes in which others differ from the first: at most the seed of Math.random, of 64 bits, which no policy has. */
function differing([first, ...others]: readonly Buffer[]): number {
  const pages = Array.from({ length: first!.length / PAGE }, (_, number) => number * PAGE);
  const counts = others.map((other) =>
    pages
      .filter((page) => first!.compare(other, page, page + PAGE, page, page + PAGE) !== 0)
      .flatMap((page) => [...first!.subarray(page, page + PAGE)].filter((byte, at) => byte !== other[page + at])),
  );
  return Math.max(...counts.map(({ length }) => length));
}

const ask = (runtime: Runtime, limits = LIMITS) => runtime.ask(0, { n: 1 }, { ...task() }, limits, FUNCTIONS);

describe("the guest of a new module", () => {
  it("has the same bytes, whether it was evaluated or copied", () => {
    const [code, shape] = [engine(), newShape()];
    const runtimes = Array.from({ length: 4 }, () => runtimeOf(code, shape));
    expect(differing(runtimes.map(bytes))).toBeLessThanOrEqual(8);
    const replies = runtimes.map((runtime) => ask(runtime));
    expect(replies[0]).toMatchObject({ stop: null, verdict: -99 });
    for (const reply of replies) expect(reply).toEqual(replies[0]);
    expect(differing(runtimes.map(bytes))).toBeLessThanOrEqual(8);
    for (const runtime of runtimes) expect(runtime.dispose()).toBe(true);
  });

  it("does not see what another policy did in the memory that was copied", () => {
    const [code, shape] = [engine(), newShape()];
    const policy = "const seen = []; export const blob_verify = (blob) => { seen.push(blob.n); return -seen.length; };";
    for (let module = 0; module < 4; module++) {
      const runtime = runtimeOf(code, shape, { policy });
      expect(ask(runtime).verdict).toBe(-1);
    }
  });

  it("has the names of its own shape", () => {
    const code = engine();
    const policy = `import { verify_signature } from "countersign";
      export const blob_verify = (blob) => verify_signature(blob.data, null, "one", "PKCS7");`;
    const verdictWith = (keyrings: readonly string[]) => {
      let asked = 0;
      const functions = { ...FUNCTIONS, verify_signature: () => ++asked };
      const runtime = runtimeOf(code, { ...newShape(), keyrings }, { policy });
      const reply = runtime.ask(0, { data: new Uint8Array(1) }, { ...task() }, LIMITS, functions);
      return [reply.verdict, asked];
    };
    const known = verdictWith(["one"]);
    const unknown = verdictWith(["two"]);
    expect(known).not.toEqual(unknown);
    for (let module = 0; module < 3; module++) {
      expect(verdictWith(["one"])).toEqual(known);
      expect(verdictWith(["two"])).toEqual(unknown);
    }
  });

  it("has its own stack", () => {
    const [code, shape] = [engine(), newShape()];
    const policy = "const deep = (n) => n === 0 ? 0 : deep(n - 1); export const blob_verify = () => deep(300);";
    const stops = (stack: number) => ask(runtimeOf(code, shape, { policy, limits: { ...LIMITS, stack } })).stop;
    for (let module = 0; module < 4; module++) {
      expect(stops(256 * 1024)).toBeNull();
      expect(stops(16 * 1024)).toBe("stack");
    }
  });

  it("stops at the callbacks of its own runtime", () => {
    const [code, shape] = [engine(), newShape()];
    const policy = "export const blob_verify = () => { for (;;); };";
    for (let module = 0; module < 4; module++) {
      const reply = ask(runtimeOf(code, shape, { policy }), { ...LIMITS, steps: Number.MAX_SAFE_INTEGER, timeout: 1 });
      expect(reply.stop).toBe("time");
    }
  });

  it("is evaluated in a module that was used before", () => {
    const [code, shape] = [engine(), newShape()];
    for (let made = 0; made < 3; made++) runtimeOf(code, shape);
    const module = new Module(code);
    const runtimes = Array.from(
      { length: 3 },
      () => new Runtime(module, link(POLICY).source, LIMITS, shape, new EncodedSubjects([])),
    );
    for (const runtime of runtimes) expect(ask(runtime)).toMatchObject({ stop: null, verdict: -99 });
    for (const runtime of runtimes) expect(runtime.dispose()).toBe(true);
  });

  it("is evaluated again after those of many other shapes", () => {
    const [code, shape] = [engine(), newShape()];
    const runtimes = [runtimeOf(code, shape), runtimeOf(code, shape)];
    for (let others = 0; others < 9; others++) runtimeOf(code);
    for (let again = 0; again < 3; again++) runtimes.push(runtimeOf(code, shape));
    expect(differing(runtimes.map(bytes))).toBeLessThanOrEqual(8);
  });
});
