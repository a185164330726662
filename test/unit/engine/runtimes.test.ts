import { afterEach, describe, expect, it } from "vitest";
import { readConfig } from "../../../src/config/config.js";
import { Engine } from "../../../src/engine/decision/engine.js";
import { Workplace } from "../../support/workplace.js";
import { task } from "../../task.js";

const open: Engine[] = [];
afterEach(() => {
  for (const engine of open.splice(0)) engine.close();
});

/** An engine with that many policies, each of which answers its own number below 0. `more`: of each attachment. */
async function engineOf(count: number, more: (index: number) => string = () => "", config = ""): Promise<Engine> {
  const numbers = Array.from({ length: count }, (_, index) => index);
  const attachments = numbers.map((index) => `  - { policy: policies/p${index}.js, mode: audit${more(index)} }`);
  const place = new Workplace(attachments.join("\n"), config);
  for (const index of numbers) place.write(`policies/p${index}.js`, `export const blob_verify = () => -${index + 1};`);
  const engine = await Engine.open(readConfig(place.config));
  open.push(engine);
  return engine;
}

function ask(engine: Engine, labels: Record<string, string> = {}): (number | string)[] {
  const subject = { name: "b", digest: "d", data: Uint8Array.of(1), signature: null };
  const current = task({ container: { id: "c", name: null, labels, annotations: {} } });
  const { answers } = engine.decide({ hook: "blob_verify", subject, current });
  return answers.map(({ verdict, fault }) => fault?.code ?? verdict);
}
const downTo = (count: number) => Array.from({ length: count }, (_, index) => -index - 1);

describe("the runtimes of an engine", () => {
  it("are made before the first decision for the first sixteen policies, without those that failed", {
    tags: ["deep"],
  }, async () => {
    const engine = await engineOf(18);
    let steps = 0;
    while (engine.prepareNext(new Set([3, 5]))) steps += 1;
    expect([steps, engine.runtimesMade]).toEqual([16, 14]);
    expect(ask(engine)).toEqual(downTo(18));
    expect(engine.runtimesMade).toBe(18);
  });

  it("stay for 250 policies in scope of every decision", { tags: ["deep"] }, async () => {
    const engine = await engineOf(250);
    expect(engine.warnings.map(({ code }) => code)).toEqual([]);
    for (let round = 0; round < 3; round++) expect(ask(engine)).toEqual(downTo(250));
    expect(engine.runtimesMade).toBe(250);
  });

  it("cause a warning if they may not fit, and still give the right answers", { tags: ["deep"] }, async () => {
    const engine = await engineOf(12, undefined, "sandbox: { memory: 1MiB }");
    expect(engine.warnings).toMatchObject([
      { code: "SANDBOX_MEMORY_SHORT", message: expect.stringContaining("the policies of blob_verify") },
    ]);
    for (let round = 0; round < 3; round++) expect(ask(engine)).toEqual(downTo(12));
    expect(engine.runtimesMade).toBeGreaterThan(12);
  });

  it("of one domain do not make room for those of another", { tags: ["deep"] }, async () => {
    const scoped = (index: number) =>
      `, domain: ${index < 4 ? "a" : "b"}, scope: { labels: "who in (${index < 4 ? "a" : "b"})" }`;
    const engine = await engineOf(30, scoped, "sandbox: { memory: 4MiB }");
    ask(engine, { who: "a" });
    const a = engine.runtimesMade;
    for (let round = 0; round < 2; round++) ask(engine, { who: "b" });
    const both = engine.runtimesMade;
    expect(both - a).toBeGreaterThan(26);
    // what was made for the first domain: at least two of four policies had room there
    ask(engine, { who: "a" });
    expect(engine.runtimesMade - both).toBeLessThan(4);
  });

  it("are not evicted for each other in a decision that asks some of the policies", { tags: ["deep"] }, async () => {
    const scoped = (index: number) => `, scope: { labels: "who in (${index % 2 === 0 ? "even" : "odd"})" }`;
    const engine = await engineOf(20, scoped, "sandbox: { memory: 3MiB }");
    for (let round = 0; round < 4; round++) {
      ask(engine, { who: "even" });
      const before = engine.runtimesMade;
      ask(engine, { who: "even" });
      expect(engine.runtimesMade).toBe(before);
      ask(engine, { who: "odd" });
    }
  });
});
