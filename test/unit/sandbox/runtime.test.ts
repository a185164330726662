import { describe, expect, it } from "vitest";
import { SHAPE } from "../../../src/policy/domain.js";
import { assembleLibrary } from "../../../src/policy/linker/library.js";
import { linkPolicy } from "../../../src/policy/linker/linker.js";
import { LinkTime } from "../../../src/policy/syntax/link-time.js";
import { readUnits } from "../../../src/policy/units/units.js";
import { Module } from "../../../src/sandbox/quickjs/module.js";
import type { Reply } from "../../../src/sandbox/reply.js";
import { Runtime } from "../../../src/sandbox/runtime.js";
import { GuestError } from "../../../src/sandbox/start.js";
import { EncodedSubjects } from "../../../src/sandbox/subjects/encoded-subjects.js";
import { FUNCTIONS } from "../../support/guest.js";
import { task } from "../../task.js";

const LIMITS = { steps: 1_000_000, timeout: 10_000, memory: 8 * 1024 * 1024, stack: 128 * 1024 };
/** A file with state, which only a library keeps from one decision to the next. */
const LIBRARY = `import { map_lookup } from "countersign";
  const seen = []; const told = map_lookup("m", "told");
  export const see = (what) => seen.push(what); export const first = () => seen[0]; export const known = told;`;

const library = readUnits("p/library.js", { read: () => LIBRARY, root: "p" }, new LinkTime("p/library.js"))[0]!;

/** A policy that imports the library, or, linked with it, the file. */
function policy(body: string, usesLibrary = true): string {
  const text = `import * as all from "./library.js"; export const blob_verify = (blob) => { ${body} };`;
  const options = { root: "p", hookNames: ["blob_verify"], subjects: {} };
  return linkPolicy("p/policy.js", {
    read: () => text,
    known: knownLibrary,
    ...options,
    ...(usesLibrary ? { library: library.source.file } : {}),
  }).source;
}

function knownLibrary(file: string) {
  return file === "p/library.js" ? library : undefined;
}

class Subject {
  readonly runtime = new Runtime(
    new Module(),
    assembleLibrary(library),
    LIMITS,
    { ...SHAPE, keyrings: [] },
    new EncodedSubjects([]),
  );

  ask(subject: object | null = null): Reply {
    const functions = { ...FUNCTIONS, map_lookup: (_: string, key: string) => `${key} by the host` };
    return this.runtime.ask(0, subject, { ...task() }, LIMITS, functions);
  }

  get bytes(): Buffer {
    const { memory } = this.runtime.module;
    return Buffer.from(memory.wasm.buffer.slice(0));
  }
}

describe("a runtime with a library", () => {
  it("has policies, one after the other, that use its exports and its state", () => {
    const subject = new Subject();
    expect(subject.ask()).toMatchObject({ stop: null, verdict: 0 });
    subject.runtime.load(policy("return all.known === 'told by the host' ? -all.see(blob.n) : -99;"));
    expect([1, 2, 3].map((n) => subject.ask({ n }).verdict)).toEqual([-1, -2, -3]);
    subject.runtime.load(policy("return -all.first() - all.see(0);"));
    expect(subject.ask().verdict).toBe(-5);
  });

  it("counts the steps of both in one budget", { tags: ["deep"] }, () => {
    const subject = new Subject();
    subject.ask();
    const stepsOf = (text: string) => {
      subject.runtime.load(text);
      const reply = subject.ask();
      expect(reply.stop).toBeNull();
      return reply.steps;
    };
    const rounds = (count: number) => `for (let i = 0; i < ${count}; i++) all.first(); return 0;`;
    const inLibrary = stepsOf(policy(rounds(6000))) - stepsOf(policy(rounds(1000)));
    const linked = stepsOf(policy(rounds(6000), false)) - stepsOf(policy(rounds(1000), false));
    expect(linked).toBeGreaterThan(2 * 5000);
    // The engine takes units for the buffer in which a library counts
    expect(inLibrary / linked).toBeGreaterThanOrEqual(1);
    expect(inLibrary / linked).toBeLessThan(1.1);
    subject.runtime.load(policy("for (;;) all.first();"));
    expect(subject.ask()).toMatchObject({ stop: "steps", steps: LIMITS.steps });
  });

  it("throws if the engine cannot compile a text", () => {
    expect(() => new Subject().runtime.load("(function(){")).toThrow(GuestError);
  });
});

describe("restoring a runtime", () => {
  const STATES = "all.see(blob.n); return -all.first();";

  it("leaves nothing of the decisions since it was saved", () => {
    const subject = new Subject();
    subject.ask();
    subject.runtime.load(policy(STATES));
    const saved = subject.runtime.save();
    for (const n of [5, 7, 5, 9]) {
      expect(subject.ask({ n }).verdict).toBe(-n);
      expect(subject.ask({ n: 1 }).verdict).toBe(-n);
      subject.runtime.restore(saved, false);
    }
  });

  it("leaves nothing of a policy that was loaded since, not one byte", { tags: ["deep"] }, () => {
    const subject = new Subject();
    const saved = subject.runtime.save();
    const before = subject.bytes;
    for (const body of [STATES, `const all = []; for (let i = 0; i < 2e4; i++) all.push({ i }); return -1;`]) {
      subject.ask();
      subject.runtime.load(policy(body));
      expect(subject.ask({ n: 1 }).verdict).toBe(-1);
      subject.runtime.restore(saved, true);
      expect(subject.bytes.equals(before)).toBe(true);
    }
  });

  it("takes the same steps and the same memory each time", { tags: ["deep"] }, () => {
    const subject = new Subject();
    subject.ask();
    subject.runtime.load(policy(`const all = []; for (let i = 0; i < 2e4; i++) all.push({ i }); return 0;`));
    const saved = subject.runtime.save();
    const { size } = subject.runtime;
    const first = subject.ask({ n: 1 });
    const grown = subject.runtime.module.size;
    for (let round = 0; round < 20; round++) {
      subject.runtime.restore(saved, false);
      expect(subject.runtime.size).toBe(size);
      expect(subject.ask({ n: 1 })).toEqual(first);
    }
    expect(subject.runtime.module.size).toBe(grown);
  });
});
