import { describe, expect, it } from "vitest";
import { type CachedPolicy, runtimeMemory } from "../../../src/policy/domain.js";
import { DEFAULT_LIMITS, MODULE_SHARE } from "../../../src/sandbox/shared/limits.js";
import { blob, Guest, link, SUBJECT } from "../../support/guest.js";

/** What costs a policy its runtime, or the module that it shares with its neighbours: these pay once at most. */
const HARM = {
  "runs out of memory at once": { body: "return 'x'.repeat(1e8).length;", code: "OUT_OF_MEMORY", remade: 0 },
  "runs out of memory bit by bit": {
    body: "const all = []; for (;;) all.push(new Array(1000).fill(1));",
    code: "OUT_OF_MEMORY",
    remade: 0,
  },
  "runs out of memory and catches it": {
    body: "const all = []; try { for (;;) all.push([1, 2, 3]); } catch { for (;;) all.push({}); }",
    code: "OUT_OF_MEMORY",
    remade: 0,
  },
  "traps in a native": {
    body: "return Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);",
    code: "OUT_OF_STEPS",
    remade: 1,
  },
} as const;

const answers = (guest: Guest, count: number) =>
  Array.from({ length: count }, (_, index) => guest.ask(blob(`return -${index} || 0;`)).verdict);
const expected = (count: number) => Array.from({ length: count }, (_, index) => -index || 0);

describe("a domain", () => {
  it("makes a runtime once for policies of the same text and limits", { tags: ["deep"] }, () => {
    const guest = new Guest();
    for (let round = 0; round < 3; round++) expect(answers(guest, 12)).toEqual(expected(12));
    for (let round = 0; round < 3; round++) guest.ask(link(blob("return -1 || 0;")));
    expect(guest.domain.made).toBe(12);
    guest.ask(blob("return -1 || 0;"), { limits: { memory: 1024 * 1024 } });
    expect(guest.domain.made).toBe(13);
  });

  it("evicts runtimes at random once they hold more than its memory, and makes them again when they are asked", {
    tags: ["deep"],
  }, () => {
    const [policies, rounds] = [24, 8];
    const guest = new Guest({ memory: 16 * runtimeMemory(link(blob("return 0;"))) });
    for (let round = 0; round < rounds; round++) expect(answers(guest, policies)).toEqual(expected(policies));
    // the least recently used one would be evicted just before it is asked again: each ask would then make a runtime
    expect(guest.domain.made).toBeLessThan(0.8 * policies * rounds);
    expect(guest.domain.made).toBeGreaterThan(policies);
    expect(guest.domain.held).toBeLessThanOrEqual(16 * runtimeMemory(link(blob("return 0;"))));
  });

  it("decides where there is memory for no runtime at all", () => {
    const guest = new Guest({ memory: 1 });
    for (let round = 0; round < 3; round++) expect(answers(guest, 3)).toEqual(expected(3));
    expect(guest.domain.made).toBe(9);
  });

  it("evicts policies of the running decision last", { tags: ["deep"] }, () => {
    const policies = Array.from({ length: 8 }, (_, index) => link(blob(`return -${index} || 0;`)));
    const inUse: CachedPolicy[] = [];
    const memory = 8.5 * runtimeMemory(policies[0]!);
    const guest = new Guest({ memory, inUse: () => inUse });
    const cached = policies.map((policy) => guest.domain.cached(policy, DEFAULT_LIMITS));
    for (const policy of policies) guest.ask(policy);
    inUse.push(...cached.slice(0, 6));
    for (let index = 20; index < 40; index++) guest.ask(blob(`return -${index};`));
    expect(cached.map(({ runtime }) => runtime !== null)).toEqual([...Array(6).fill(true), false, false]);
  });

  it("gives each module no more runtimes than it may hold", { tags: ["deep"] }, () => {
    const guest = new Guest();
    const text = "a".repeat(100_000);
    const policies = Array.from({ length: 80 }, (_, index) => link(blob(`return "${text}${index}" === "" ? -1 : 0;`)));
    for (const policy of policies) guest.ask(policy);
    const cached = policies.map((policy) => guest.domain.cached(policy, DEFAULT_LIMITS).runtime!);
    const modules = new Map<unknown, number>();
    for (const { module, size } of cached) modules.set(module, (modules.get(module) ?? 0) + size);
    expect(modules.size).toBeGreaterThan(1);
    for (const held of modules.values()) expect(held).toBeLessThanOrEqual(MODULE_SHARE);
  });

  it("takes a policy's real size into account", () => {
    for (const body of ["return 0;", `return "${"a".repeat(50_000)}" === "" ? -1 : 0;`, "return 0;".repeat(2000)]) {
      const guest = new Guest();
      const policy = link(blob(body));
      guest.ask(policy);
      const { size } = guest.domain.cached(policy, DEFAULT_LIMITS).runtime!;
      expect(runtimeMemory(policy) / size, body.slice(0, 20)).toBeGreaterThan(0.9);
      expect(runtimeMemory(policy) / size, body.slice(0, 20)).toBeLessThan(4);
    }
  });

  it("keeps subjects apart, however many there are", () => {
    const guest = new Guest();
    const source = blob("return blob.number === blob.data.length ? 0 : -1;");
    for (let round = 0; round < 2; round++)
      for (let number = 0; number < 200; number++)
        expect(guest.ask(source, { subject: { number, data: new Uint8Array(number) } }).verdict).toBe(0);
  });

  it("builds examples without asking the policy, and then decides as it would without them", () => {
    const policy = link(blob("return blob.nested.list.length === 2 && blob.data.length === 4 ? -1 : -2;"));
    const greedy = link(blob(HARM["traps in a native"].body));
    const [prepared, other] = [new Guest(), new Guest()];
    const examples = new Map<string, object>([
      ["bpf", SUBJECT],
      ["blob_verify", SUBJECT],
    ]);
    for (const each of [policy, greedy]) {
      const cached = prepared.domain.cached(each, DEFAULT_LIMITS);
      prepared.domain.prepare(cached, examples);
      expect(cached.runtime?.mustDiscard).toBe(false);
    }
    for (const subject of [SUBJECT, { ...SUBJECT }, { ...SUBJECT, data: new Uint8Array(4096) }])
      expect(prepared.ask(policy, { subject })).toEqual(other.ask(policy, { subject }));
    expect(prepared.domain.made).toBe(2);
  });

  it("goes on after an example that cannot be built", () => {
    const guest = new Guest();
    const policy = link(blob("return blob.data.length === 4 ? -1 : -2;"));
    const cached = guest.domain.cached(policy, DEFAULT_LIMITS);
    guest.domain.prepare(cached, new Map([["blob_verify", { ...SUBJECT, name: () => "" }]]));
    expect(guest.ask(policy).verdict).toBe(-1);
    expect(guest.domain.made).toBe(1);
  });

  it("gives a helper the bytes of the subject that is asked about", () => {
    const guest = new Guest();
    const source = `import { hash } from "countersign"; export const blob_verify = (b) => (hash("sha256", b.data) === b.name ? 0 : -1);`;
    const functions = { hash: (_: string, data: Uint8Array) => `n${data[0]}` };
    const subjects = Array.from({ length: 100 }, (_, n) => ({ name: `n${n}`, data: Uint8Array.of(n) }));
    for (const subject of [...subjects, ...subjects]) expect(guest.ask(source, { subject, functions }).verdict).toBe(0);
  });

  describe.each(Object.entries(HARM))("goes on after a policy that %s", (_, { body, code, remade }) => {
    it(`and makes its neighbours' runtimes again ${remade} times in all`, { tags: ["deep"] }, () => {
      const guest = new Guest();
      expect(answers(guest, 10)).toEqual(expected(10));
      for (let round = 0; round < 5; round++) {
        // with the steps to run out of memory first
        const outcome = guest.ask(blob(body), { limits: { timeout: 10_000, steps: 2_000_000 } });
        expect([outcome.fault?.code, outcome.harmful]).toEqual([code, true]);
        expect(answers(guest, 10)).toEqual(expected(10));
      }
      expect(guest.domain.made).toBe(10 + 5 + 10 * remade);
    });
  });

  it("bounds what making a runtime takes, and its neighbours pay once for a policy that exceeds it", {
    tags: ["deep"],
  }, () => {
    const guest = new Guest();
    const policy = { ...link(blob("return 0;")), source: `()=>[${"/\\p{L}/iu,".repeat(5000)}]`, digest: "bomb" };
    expect(answers(guest, 10)).toEqual(expected(10));
    for (let round = 0; round < 5; round++) {
      expect(guest.ask(policy)).toMatchObject({
        fault: { code: "INTERNAL_FAULT", message: expect.stringContaining("could not be started") },
        harmful: true,
      });
      expect(answers(guest, 10)).toEqual(expected(10));
    }
    expect(guest.domain.made).toBe(20);
  });

  it("says of no other fault that it does harm", { tags: ["deep"] }, () => {
    const bodies = ["throw 1;", "for (;;);", "return 7;", "const f = () => f() + 1; f();", "return 'a';"];
    const guest = new Guest();
    for (const body of bodies) {
      const outcome = guest.ask(blob(body));
      expect([outcome.fault === null, outcome.harmful], body).toEqual([false, undefined]);
    }
    expect(guest.domain.made).toBe(bodies.length);
  });

  it("names the value that cannot cross, and does not evaluate the policy", () => {
    const guest = new Guest();
    for (const bad of [{ n: Number.NaN }, { f: () => 0 }, { b: 1n }, { d: new Date(0) }])
      expect(guest.ask(blob("return 0;"), { subject: bad }).fault).toMatchObject({
        code: "INTERNAL_FAULT",
        message: expect.stringContaining("cannot cross"),
      });
  });

  it("reports a helper's failure in the decision, and not to the policy", () => {
    const functions = {
      hash: () => {
        throw new TypeError("/secret/path");
      },
    };
    const source = `import { hash } from "countersign";
      export function blob_verify(blob) { try { hash("sha256", blob.data); } catch (error) { return String(error).includes("secret") ? 0 : -1; } }`;
    expect(new Guest().ask(source, { functions })).toMatchObject({
      verdict: null,
      fault: { code: "INTERNAL_FAULT", message: "TypeError: /secret/path" },
    });
  });
});
