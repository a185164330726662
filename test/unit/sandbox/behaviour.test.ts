import { beforeAll, describe, expect, it } from "vitest";
import { Domain } from "../../../src/policy/domain.js";
import type { Outcome } from "../../../src/policy/model/outcome.js";
import { DEFAULT_LIMITS } from "../../../src/sandbox/shared/limits.js";
import { dropped } from "../../hostile/policies/case.js";
import { engineCode } from "../../support/engines.js";
import { blob, FUNCTIONS, link, type Question, SUBJECT } from "../../support/guest.js";
import { Oracle } from "../../support/oracle.js";
import { PublicEngine } from "../../support/public-engine.js";
import { task } from "../../task.js";

/** Names that the guest is told of. */
const KEYRINGS = ["platform", "__proto__"];

/** Every engine that a policy could run on; the first one ships. A skip names what the engine does otherwise. */
const BACKENDS = [
  {
    name: "quickjs",
    make: () => new Domain({ code: engineCode("quickjs"), keyrings: KEYRINGS }),
    skips: {} as Record<string, string>,
  },
  {
    name: "quickjs-ng",
    make: () => new Domain({ code: engineCode("quickjs-ng"), keyrings: KEYRINGS }),
    skips: {} as Record<string, string>,
  },
  {
    name: "quickjs-emscripten, unpatched",
    make: () => new PublicEngine(KEYRINGS),
    skips: {
      stack: "without the patch an error alone says so, which a policy can catch",
      memory: "without the patch no limit of memory holds in WebAssembly",
    } as Record<string, string>,
  },
  {
    name: "node:vm",
    make: () => new Oracle(KEYRINGS),
    skips: {
      stack: "V8 says so by an error alone, which a policy can catch",
      memory: "a context of V8 has no limit of memory",
      time: "a context is not interrupted here",
      ...("groupBy" in Object ? {} : { groupBy: "V8 has no groupBy before node 21" }),
    } as Record<string, string>,
  },
];

/** Milliseconds that harmless policies may take, on a busy machine too. */
const PATIENCE = 10_000;

describe.each(BACKENDS)("a policy on $name", ({ make, skips }) => {
  const backend = make();
  beforeAll(async () => {
    if (backend instanceof PublicEngine) await backend.ready();
  });
  const ask = (source: string | Record<string, string>, question: Question = {}): Outcome =>
    backend.ask(
      link(source),
      { ...DEFAULT_LIMITS, timeout: PATIENCE, ...question.limits },
      question.hook ?? "blob_verify",
      question.subject ?? SUBJECT,
      task(question.current),
      { ...FUNCTIONS, ...question.functions },
    );

  it("answers 0, or a negative errno", { tags: ["deep"] }, () => {
    expect(ask(blob("return 0;"))).toMatchObject({ verdict: 0, fault: null, reason: null, notes: [], answers: [] });
    expect(ask(blob("return -4095;")).verdict).toBe(-4095);
  });

  it("sees the subject whole, and cannot change it", () => {
    const subject = JSON.parse('{"a":"x\\u0000\\ud800","__proto__":{"toJSON":1},"then":[1,2,{"b":null}],"n":-0.5}');
    const expected = JSON.stringify(JSON.stringify(subject));
    expect(
      ask(blob(`return JSON.stringify(blob) === ${expected} && Object.isFrozen(blob.then[2]) ? 0 : -1;`), { subject }),
    ).toMatchObject({ verdict: 0 });
  });

  it.for([
    ...["every", "some", "filter", "find", "findIndex", "findLast", "findLastIndex", "forEach", "map", "flatMap"].map(
      (method) => `[1].${method}(f)`,
    ),
    "[1, 2].reduce(f)",
    "[1, 2].reduceRight(f)",
    "[1, 2].sort(f)",
    "[1, 2].toSorted(f)",
    "Array.from([1], f)",
    "new Map([[1, 2]]).forEach(f)",
    "new Set([1]).forEach(f)",
    "Object.groupBy([1], f)",
    "Map.groupBy([1], f)",
    `"a".replace("a", f)`,
    `"a".replace(/a/, f)`,
    `"aa".replaceAll("a", f)`,
  ])("%s calls back with no `this`, as the standard says", (call, { skip }) => {
    if (call.includes("groupBy") && skips.groupBy !== undefined) skip(skips.groupBy);
    const body = `let seen = "never"; const f = function () { seen = typeof this; return 0; }; ${call};
      return seen === "undefined" ? 0 : deny(seen);`;
    expect(ask(blob(body, `import { deny } from "countersign";\n`))).toMatchObject({ verdict: 0, reason: null });
  });

  it.for(["Object", "Map"])("%s.groupBy groups, and is a function like the others", (of, { skip }) => {
    if (skips.groupBy !== undefined) skip(skips.groupBy);
    const body = `const groups = ${of}.groupBy([1, 2, 3, "4"], (value, index) => (value !== index + 1 ? "odd" : "even"));
      const of = (key) => (groups.get ? groups.get(key) : groups[key]);
      const errors = [undefined, 1, {}].map((f) => { try { ${of}.groupBy([], f); } catch (e) { return e.constructor.name; } });
      let constructed = true;
      try { new ${of}.groupBy([], () => 0); } catch { constructed = false; }
      const { name, length } = ${of}.groupBy;
      return of("even").join() === "1,2,3" && of("odd").join() === "4" && errors.join() === "TypeError,TypeError,TypeError" &&
        !constructed && name === "groupBy" && length === 2 && Object.isFrozen(${of}.groupBy) ? 0 : -13;`;
    expect(ask(blob(body))).toMatchObject({ verdict: 0, fault: null });
  });

  it("sees the calling task, field by field", () => {
    const container = { id: "c", name: null, labels: { tier: "edge" }, annotations: {} };
    const current = { uid: 4294967294, comm: "tc", capabilities: ["CAP_BPF"], container };
    const whole = JSON.stringify(JSON.stringify(task(current)));
    expect(
      ask(
        blob(`const { container, ...rest } = current;
      return JSON.stringify(current).length === ${whole}.length && current.uid === 4294967294 && current.comm === "tc" &&
        current.container.labels.tier === "edge" && current.container === container && current.exe === rest.exe &&
        current.container.labels === container.labels ? 0 : -1;`),
        { current },
      ),
    ).toMatchObject({ verdict: 0 });
    expect(ask(blob("return current.container === null ? 0 : -1;"), { current: { container: null } }).verdict).toBe(0);
  });

  it("gives its bytes to helpers, and reads a part of them", () => {
    const seen: unknown[] = [];
    const functions = {
      verify_signature: (...given: unknown[]) => seen.push(given) && -126,
      hash: (algorithm: string, data: Uint8Array) => `${algorithm}${data.length}`,
    };
    const subject = { data: Uint8Array.of(7, 8, 9), signature: Uint8Array.of(1) };
    const policy = `import { hash, PKCS7, read, verify_signature } from "countersign";
      export const blob_verify = (blob) => hash("sha256", blob.data) === "sha2563" && read(blob.data, 1, 2).join() === "8,9"
        ? verify_signature(blob.data, blob.signature, "platform", PKCS7) : -1;`;
    expect(ask(policy, { subject, functions })).toMatchObject({
      verdict: -126,
      answers: ["hash sha256: sha2563", "verify_signature platform PKCS7: -ENOKEY"],
    });
    expect(seen).toEqual([[subject.data, subject.signature, "platform", "PKCS7"]]);
  });

  it("gets -ENODATA for a missing signature without a call of the host", () => {
    const functions = { verify_signature: () => expect.unreachable("the host was asked") as never };
    const policy = `import { PKCS7, verify_signature } from "countersign";
      export const blob_verify = (blob) => verify_signature(blob.data, blob.signature, "platform", PKCS7);`;
    expect(ask(policy, { functions })).toMatchObject({
      verdict: -61,
      answers: ["verify_signature platform PKCS7: -ENODATA"],
    });
  });

  const computed = (keyring: string, type: string) =>
    `import { verify_signature } from "countersign";
    export const blob_verify = (blob) => verify_signature(blob.data, null, String("${keyring}"), String("${type}"));`;

  it.each([
    ["platfrom", "PKCS7"],
    ["platform", "PKCS8"],
    ["platform", ""],
    ["", "PKCS7"],
    ["", ""],
    ["toString", "PKCS7"],
    ["constructor", "hasOwnProperty"],
    ["platform", "__proto__"],
    ["platform ", "PKCS7"],
  ])("asks the host about the keyring `%s` and type `%s`, one of which it was not told of", (keyring, type) => {
    const functions = { verify_signature: (...given: unknown[]) => (given[1] === null ? -5 : -1) };
    expect(ask(computed(keyring, type), { functions }).verdict).toBe(-5);
  });

  it.each([
    "",
    ", undefined, undefined",
    ", null, null",
    ", NaN, NaN",
    ", 0, 0",
    ', "platform"',
    ', ["platform"], "PKCS7"',
  ])("may not leave out names or give something else: `verify_signature(blob.data, null%s)`", (names) => {
    const call = `verify_signature(...[blob.data, null${names}])`;
    const policy = `import { verify_signature } from "countersign";
        export const blob_verify = (blob) => ${call};`;
    const { verdict, fault } = ask(policy, { functions: { verify_signature: () => 0 } });
    expect({ verdict, code: fault?.code }).toEqual({ verdict: null, code: "POLICY_ERROR" });
  });

  it.each(KEYRINGS)("is told that there is no signature for the keyring `%s`, whose name it computed", (keyring) => {
    const functions = { verify_signature: () => expect.unreachable("the host was asked") as never };
    expect(ask(computed(keyring, "SIGSTORE"), { functions }).verdict).toBe(-61);
  });

  it("asks the host about data that carries its own signature", () => {
    const policy = `import { MODSIG, verify_signature } from "countersign";
      export const blob_verify = (blob) => verify_signature(blob.data, null, "modules", MODSIG);`;
    expect(
      ask(policy, { functions: { verify_signature: (_, signature) => (signature === null ? 0 : -1) } }).verdict,
    ).toBe(0);
  });

  const signer = { subject: "CN=Signer", key_id: "ab", serial: "03eb", issuer: "CN=Root" };
  const asking = (body: string) => `import { MODSIG, PKCS7, signer_of } from "countersign";
      export function blob_verify(blob) { ${body} }`;

  it("gets the signer of bytes as facts", () => {
    const seen: unknown[] = [];
    const functions = { signer_of: (...given: unknown[]) => seen.push(given) && signer };
    const subject = { data: Uint8Array.of(7, 8, 9), signature: Uint8Array.of(1) };
    const policy = asking(`const signer = signer_of(blob.data, blob.signature, "platform", PKCS7);
      return Object.isFrozen(signer) && Object.keys(signer).join() === "subject,key_id,serial,issuer" &&
        signer.subject === "CN=Signer" && signer.serial === "03eb" ? -13 : 0;`);
    expect(ask(policy, { subject, functions })).toMatchObject({
      verdict: -13,
      answers: ["signer_of platform PKCS7: CN=Signer"],
    });
    expect(seen).toEqual([[subject.data, subject.signature, "platform", "PKCS7"]]);
  });

  it("gets null for no signer, and tells a nameless one by its key", () => {
    const seen: unknown[] = [];
    const functions = { signer_of: (_: unknown, signature: unknown) => (seen.push(signature) ? null : signer) };
    const none = asking("return signer_of(blob.data, null, 'platform', MODSIG) === null ? -13 : 0;");
    expect(ask(none, { functions })).toMatchObject({ verdict: -13, answers: ["signer_of platform MODSIG: none"] });
    expect(seen).toEqual([null]);
    const key = { ...signer, subject: null };
    const bare = asking("return signer_of(blob.data, blob.data, 'platform', PKCS7).subject === null ? -13 : 0;");
    expect(ask(bare, { functions: { signer_of: () => key } })).toMatchObject({
      verdict: -13,
      answers: ["signer_of platform PKCS7: key ab"],
    });
  });

  const statement = (sha256: string) => ({ sha256, object_sha256: "0b", name: "f", type: "xdp", settings: [] });
  const matching = Object.freeze({ name: "f", statements: [statement("aa"), statement("bb")], mismatches: [] });
  const different = { statement: "cc", property: "license", expected: "GPL", found: "MIT" };
  const program = (body: string) => `import { signer_of, statement_of, verify_program } from "countersign";
      export function bpf_prog_load(prog) { ${body} }`;
  const hook = "bpf_prog_load";

  it("asks the host about the program that the hook is about", () => {
    const seen: unknown[] = [];
    const functions = {
      verify_program: (...given: unknown[]) => seen.push(given) && -126,
      statement_of: (...given: unknown[]) => (seen.push(given) ? 1 : -1),
      signer_of_program: (...given: unknown[]) => seen.push(given) && signer,
    };
    const policy = program(`const statement = statement_of(prog, "a");
      return statement === prog.statements[1] && signer_of(prog, "b").subject === "CN=Signer"
        ? verify_program(prog, "c") : -1;`);
    expect(ask(policy, { hook, subject: matching, functions })).toMatchObject({
      verdict: -126,
      answers: ["statement_of a: bb", "signer_of b: CN=Signer", "verify_program c: -ENOKEY"],
    });
    expect(seen).toEqual(["a", "b", "c"].map((keyring) => [matching, keyring]));
  });

  it("asks the host about a program that comes close to a statement", () => {
    const functions = { verify_program: () => -129, statement_of: () => -1 };
    const policy = program('return statement_of(prog, "platform") === null ? verify_program(prog, "platform") : 0;');
    const subject = { ...matching, statements: [], mismatches: [different] };
    expect(ask(policy, { hook, subject, functions })).toMatchObject({
      verdict: -129,
      answers: ["statement_of platform: none", "verify_program platform: -EKEYREJECTED"],
    });
  });

  it("gets -ENODATA for a program that no statement is about without a call of the host", () => {
    const unasked = () => expect.unreachable("the host was asked") as never;
    const functions = { verify_program: unasked, statement_of: unasked };
    const policy = program('return statement_of(prog, "platform") === null ? verify_program(prog, "platform") : 0;');
    expect(ask(policy, { hook, subject: { ...matching, statements: [] }, functions })).toMatchObject({
      verdict: -61,
      answers: ["statement_of platform: none", "verify_program platform: -ENODATA"],
    });
    const unknown = program('return verify_program(prog, String("platfrom"));');
    const asked = { verify_program: () => -5 };
    expect(ask(unknown, { hook, subject: { ...matching, statements: [] }, functions: asked }).verdict).toBe(-5);
  });

  it.each([
    ["verify_program(prog)"],
    ["verify_program(prog, null)"],
    ['verify_program(prog, ["platform"])'],
    ["statement_of(prog, undefined)"],
    ["signer_of(prog, 1)"],
    ['verify_program({ ...prog }, "platform")'],
    ['verify_program(prog.statements[0], "platform")'],
    ['signer_of(prog.name, "platform")'],
  ])("may not ask `%s`", (call) => {
    const functions = { verify_program: () => 0, statement_of: () => 0, signer_of_program: () => signer };
    for (const statements of [matching.statements, []]) {
      const { verdict, fault } = ask(program(`${call}; return 0;`), {
        ...{ hook, subject: { ...matching, statements }, functions },
      });
      expect({ verdict, code: fault?.code }).toEqual({ verdict: null, code: "POLICY_ERROR" });
    }
  });

  it("asks about the program of each decision, not of the one before", () => {
    const functions = {
      verify_program: (subject: object) => -(subject as { name: string }).name.length,
    };
    const policy = program('return verify_program(prog, "platform");');
    const subjects = ["a", "bb", "ccc"].map((name) => ({ ...matching, name }));
    for (const subject of [...subjects, ...subjects.reverse(), ...subjects])
      expect(ask(policy, { hook, subject, functions }).verdict).toBe(-subject.name.length);
  });

  it("looks into maps, and writes to them", () => {
    const map = new Map<string, unknown>([["a", { deep: [1, "\0"] }]]);
    const functions = {
      map_lookup: (_: string, key: string) => map.get(key),
      map_update: (_: string, key: string, value: unknown) => (map.set(key, value).has(key) ? 0 : -1),
      map_delete: (_: string, key: string) => (map.delete(key) ? 0 : -2),
    };
    const policy = `import { map_delete, map_lookup, map_update } from "countersign";
      export function blob_verify() {
        const { deep } = map_lookup("m", "a");
        map_update("m", "b", { was: deep[1], undefined: undefined });
        return map_lookup("m", "c") === undefined && deep[0] === 1 && map_delete("m", "a") === 0 ? map_delete("m", "a") : -1;
      }`;
    expect(ask(policy, { functions })).toMatchObject({ verdict: -2 });
    expect([...map]).toEqual([["b", { was: "\0" }]]);
  });

  it.each([
    ["an allowed decision", "return [deny('a'), deny('b', 13)].length - 2;", { verdict: 0, unusedReasons: ["a", "b"] }],
    ["a fault", "throw deny('a');", { verdict: null, unusedReasons: ["a"] }],
    ["a bad answer", "return deny('a') && true;", { verdict: null, unusedReasons: ["a"] }],
    ["a denial without a reason", "return [deny('a')].length - 2 - 4;", { verdict: -5, unusedReasons: ["a"] }],
    ["equal denials", "return [deny('a'), deny('a')][0];", { verdict: -1, reason: "a", unusedReasons: ["a"] }],
    ["a denial that is used", "return deny('a');", { verdict: -1, reason: "a", unusedReasons: [] }],
  ])("tells of unused reasons in %s", (_, body, expected) => {
    expect(ask(blob(body, `import { deny } from "countersign";\n`))).toMatchObject(expected);
  });

  it("is refused for a denial that it drops, even if it catches that", () => {
    const policy = `import { deny } from "countersign";
const check = () => deny("no");
export function blob_verify() { try { check(); } catch {} return 0; }`;
    expect(ask(policy)).toMatchObject({
      verdict: null,
      fault: {
        code: "UNUSED_DENIAL",
        message: 'the denial "no" has no effect: the value of this call is not used',
        place: "policy.js:3:39",
      },
    });
  });

  it("keeps the last 32 reasons, oldest first, and counts the others", () => {
    const body = "const all = []; for (let n = 0; n < 70; n++) all.push(deny('reason ' + n, n + 1)); return all[50];";
    const { reason, unusedReasons } = ask(blob(body, `import { deny } from "countersign";\n`));
    const kept = Array.from({ length: 32 }, (_, index) => `reason ${38 + index}`).filter((one) => one !== "reason 50");
    expect(reason).toBe("reason 50");
    expect(unusedReasons).toEqual([...kept, "38 earlier reasons were left out"]);
  });

  it("gives the reason of the refusal that it answered, and its notes", () => {
    const policy = `import { deny, EACCES, note } from "countersign";
      export function blob_verify() {
        note("first"); note(2);
        const [, no] = [deny("other", 5), deny("because", EACCES), deny("last")];
        return no;
      }`;
    expect(ask(policy)).toMatchObject({
      verdict: -13,
      reason: "because",
      unusedReasons: ["other", "last"],
      notes: ["first", "2"],
    });
  });

  it("is refused for an error, with its place", () => {
    expect(ask(blob("\n  null.x;")).fault).toMatchObject({
      code: "POLICY_ERROR",
      place: expect.stringMatching(/^policy\.js:3:/),
    });
    expect(ask(blob("throw new RangeError('so it is');")).fault?.message).toBe("threw RangeError: so it is");
  });

  it.each(["undefined", "null", '"0"', "1", "NaN", "{}", "true", "0n"])("is refused for the answer %s", (value) => {
    expect(ask(blob(`return (${value});`))).toMatchObject({ verdict: null, fault: { code: "BAD_RETURN_VALUE" } });
  });

  it("runs out of steps at the same point everywhere", () => {
    expect(ask(blob("for (let i = 0; i < 9; i++); return 0;")).steps).toBe(10);
    expect(ask(blob("try { for (;;); } catch { return 0; }"), { limits: { steps: 50 } })).toMatchObject({
      verdict: null,
      steps: 50,
      fault: { code: "OUT_OF_STEPS", place: expect.stringMatching(/^policy\.js:2:/) },
    });
  });

  const endless = "const f = () => f() + 1;";

  it("runs out of stack", () => {
    expect(ask(blob(`${endless} return f();`), { limits: { steps: 1e9 } }).fault?.code).toBe("OUT_OF_STACK");
  });

  it("runs out of stack, whatever it catches", ({ skip }) => {
    if (skips.stack !== undefined) skip(skips.stack);
    const bodies = [
      `try { f(); } catch { return 0; }`,
      `try { try { f(); } finally { 0; } } catch { return 0; }`,
      dropped("f();"),
    ];
    for (const body of bodies)
      expect(ask(blob(`${endless} ${body}`), { limits: { steps: 1e9 } }).fault, body).toMatchObject({
        code: "OUT_OF_STACK",
        message: "ran out of its 262144 bytes of stack",
      });
  });

  it("runs out of memory, whatever it catches", ({ skip }) => {
    if (skips.memory !== undefined) skip(skips.memory);
    const bodies = ["try { 'x'.repeat(1e8); } catch { return 0; }", dropped("'x'.repeat(1e8);")];
    for (const body of bodies) expect(ask(blob(body)).fault?.code, body).toBe("OUT_OF_MEMORY");
  });

  it("has no more memory for having had a block too large for the engine itself", ({ skip }) => {
    if (skips.memory !== undefined) skip(skips.memory);
    expect(ask(blob('try { "\u0100".repeat(2 ** 30 - 1); } catch {} return 0;')).fault?.code).toBe("OUT_OF_MEMORY");
    expect(ask(blob('return "x".repeat(7e4).repeat(100).length - 7e6;'))).toMatchObject({ verdict: 0, fault: null });
  });

  it("may throw what an engine throws where it has no memory", () => {
    expect(ask(blob("throw null;")).fault).toMatchObject({ code: "POLICY_ERROR", message: "threw null" });
    expect(ask(blob("try { throw null; } catch (e) { return e === null ? 0 : -1; }")).verdict).toBe(0);
    expect(ask(blob("throw undefined;")).fault?.message).toBe("threw undefined");
  });

  it("runs out of time, and reports the steps that it had used by then", ({ skip }) => {
    if (skips.time !== undefined) skip(skips.time);
    const outcome = ask(blob("for (;;) blob.name.at(0);"), { limits: { steps: 1e9, timeout: 20 } });
    expect(outcome.fault).toMatchObject({ code: "OUT_OF_TIME", place: expect.stringMatching(/^policy\.js/) });
    // a busy machine may run few of them within the time
    expect(outcome.steps).toBeGreaterThan(0);
    expect(outcome.steps).toBeLessThan(1e9);
  });

  it("starts fresh each time", () => {
    const source = `let n = 0;\n${blob("return n++ === 0 ? 0 : -1;")}`;
    expect([ask(source).verdict, ask(source).verdict]).toEqual([0, 0]);
  });

  it("is given nothing that is not frozen", () => {
    const outcome = ask(
      blob(
        `
      const { getPrototypeOf } = Object;
      const syntax = [function* () {}, (function* () {})(), [].values(), new Map().values(), new Set().values(), "".matchAll(/x/g)];
      const open = [Object, Array, String, RegExp, Map, JSON, Math, WeakMap, deny, blob, current, ...syntax.map(getPrototypeOf)];
      const seen = new Set();
      while (open.length > 0) {
        const value = open.pop();
        if (value === null || !/^(object|function)$/.test(typeof value) || seen.has(value)) continue;
        seen.add(value);
        if (!Object.isFrozen(value)) note(String(Object.getOwnPropertyNames(value)));
        for (const key of [...Object.getOwnPropertyNames(value), ...Object.getOwnPropertySymbols(value)]) {
          const held = Object.getOwnPropertyDescriptor(value, key);
          open.push(held.value, held.get, held.set);
        }
        open.push(getPrototypeOf(value));
      }
      return seen.size > 200 ? 0 : -seen.size;`,
        `import { deny, note } from "countersign";\n`,
      ),
    );
    // a generator's own prototype is made with it
    expect(outcome).toMatchObject({ verdict: 0, fault: null, notes: [""] });
  });

  it("is made of several files", () => {
    const files = {
      "policy.js": `import { limit, isBig as large } from "./lib/size.js";
import * as names from "./lib/names.js";
export { blob_verify } from "./lib/hook.js";
export const bprm_check_security = (file) => large(file) && names.of(file) === "n" ? -limit : 0;`,
      "lib/size.js": `import { E2BIG } from "countersign";\nexport const limit = E2BIG;\nexport function isBig({ size }) { return size > 3; }`,
      "lib/names.js": `export default 1;\nexport const of = ({ name }) => name;`,
      "lib/hook.js": `import one from "./names.js";\nexport * from "./size.js";\nexport const blob_verify = () => -one;`,
    };
    expect(ask(files, { hook: "bprm_check_security", subject: { size: 4, name: "n" } }).verdict).toBe(-7);
    expect(ask(files).verdict).toBe(-1);
  });

  it("may be TypeScript", () => {
    const files = {
      "policy.ts": `import { deny, type Blob } from "countersign";
const Size = { small: 3 } as const;
export const blob_verify = (blob: Blob): number => (blob.data.length > Size.small ? deny("too large" as string) : 0);`,
    };
    expect(ask(files)).toMatchObject({ verdict: -1, reason: "too large" });
  });
});
