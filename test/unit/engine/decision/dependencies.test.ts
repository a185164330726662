import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import type { ProgramSubject } from "../../../../src/bpf/model/facts.js";
import { NO_STATEMENTS } from "../../../../src/bpf/model/facts.js";
import { factsOfObject } from "../../../../src/bpf/object.js";
import { readConfig } from "../../../../src/config/config.js";
import { Engine } from "../../../../src/engine/decision/engine.js";
import type { Decision } from "../../../../src/hooks/decision.js";
import { own, Workplace } from "../../../support/workplace.js";
import { task } from "../../../task.js";

const [program] = factsOfObject(readFileSync(own("examples/peek-tc.o"))).programs as [
  ReturnType<typeof factsOfObject>["programs"][number],
];
const map = (name: string) => {
  const sizes = { key_size: 4, value_size: 4, max_entries: 1, flags: 0, memory: 0, memory_per_cpu: 0 };
  return { name, type: "hash" as const, ...sizes, contents: null };
};
const subject: ProgramSubject = {
  ...program,
  maps: [map("first"), map("second")],
  signature: null,
  ...NO_STATEMENTS,
  kernel_signature: Uint8Array.of(1),
  object: null,
  kernel_keyring: null,
  loaded: null,
  rewritten: false,
};
const inContainer = task({ container: { id: "c0", name: null, labels: { tier: "edge" }, annotations: {} } });

const open: Engine[] = [];
afterEach(() => {
  for (const engine of open.splice(0)) engine.close();
});

async function decided(body: string, recordsReads = true): Promise<Decision> {
  const place = new Workplace(
    "  - policy: policies/own.js",
    "maps: { fixed: { file: fixed.json }, seen: { writable: { entries: 9, bytes: 9KiB } } }",
  );
  place.write("fixed.json", '{ "a": 1 }');
  place.write(
    "policies/own.js",
    `import { hash, map_lookup, map_update, read, signer_of, statement_of, verify_program, verify_signature } from "countersign";
export function bpf_prog_load(prog, current) { ${body} }`,
  );
  const engine = await Engine.open(readConfig(place.config), { recordsReads });
  open.push(engine);
  return engine.decide({ hook: "bpf_prog_load", subject, current: inContainer });
}

async function dependencies(body: string): Promise<readonly string[]> {
  const [answer] = (await decided(body)).answers;
  expect(answer).toMatchObject({ fault: null });
  return answer!.dependencies!.map(({ on, name }) => `${on} ${name}`);
}

describe("what a verdict can depend on", () => {
  it.each<readonly [body: string, ...found: string[]]>([
    ["return 0;"],
    ["return prog.insn_cnt < 5 ? 0 : 0;", "subject insn_cnt"],
    ["return prog['na' + 'me'] === '' ? -1 : 0;", "subject name"],
    ["return prog.effects.read_only ? 0 : 0;", "subject effects", "subject effects.read_only"],
    [
      "const { type, effects: { redirects } } = prog; return 0;",
      "subject type",
      "subject effects",
      "subject effects.redirects",
    ],
    ["return prog.maps.length > 9 ? -1 : 0;", "subject maps"],
    ["return prog.maps.some((map) => map.name === 'x') ? -1 : 0;", "subject maps", "subject maps.name"],
    ["return prog.helpers.includes('x') ? -1 : 0;", "subject helpers"],
    ["return prog.hasOwnProperty('license') ? 0 : -1;", "subject license"],
    ["return Object.getOwnPropertyDescriptor(prog, 'license').value === 'x' ? -1 : 0;", "subject license"],
    ["return read(prog.insns, 0, 1)[0] < 0 ? -1 : 0;", "subject insns", "bytes read"],
    ["return hash('sha256', prog.raw_insns) === '' ? -1 : 0;", "subject raw_insns", "bytes hash"],
    ...[
      "prog.kernel_signature.length === 0",
      "prog.kernel_signature['len' + 'gth'] === 0",
      "Object.values(prog.kernel_signature)[0] === 0",
      "JSON.stringify(prog.kernel_signature) === ''",
      "{ ...prog.kernel_signature }.length === 0",
      "Object.getOwnPropertyDescriptor(prog.kernel_signature, 'length').get() === 0",
    ].map((asked) => [`return (${asked}) ? -1 : 0;`, "subject kernel_signature", "bytes length"] as const),
    [
      "return signer_of(prog.insns, prog.kernel_signature, 'platform', 'PKCS7') === null ? 0 : -1;",
      ...["subject insns", "subject kernel_signature", "keyring platform", "signer platform"],
    ],
    ["return 'name' in prog ? 0 : -1;"],
    ["return current.uid < 0 ? -1 : 0;", "current uid"],
    ["return current['p' + 'id'] < 0 ? -1 : 0;", "current pid"],
    ["return current.container === null ? -1 : 0;", "current container"],
    [
      "return current.container.labels.tier === 'x' ? -1 : 0;",
      ...["current container", "current container.labels", "current container.labels.tier"],
    ],
    ["return current.capabilities.length > 99 ? -1 : 0;", "current capabilities"],
    ["return arguments.length === 2 ? 0 : -1;"],
    ["return map_lookup('fixed', 'a') === 2 ? -1 : 0;", "map fixed"],
    ["map_update('seen', 'a', 1); return 0;", "map write seen"],
    ["verify_program(prog, 'platform'); return 0;", "unsigned platform"],
    [
      "return verify_signature(prog.insns, prog.kernel_signature, 'platform', 'PKCS7') === 0 ? -1 : 0;",
      ...["subject insns", "subject kernel_signature", "keyring platform", "signature type PKCS7"],
    ],
    ["return statement_of(prog, 'platform') === null ? 0 : -1;", "unsigned platform"],
    ["return signer_of(prog, 'platform') === null ? 0 : -1;", "unsigned platform"],
  ])("records: %s", async (body, ...found) => {
    expect(await dependencies(body)).toEqual(found);
  });

  it.each([
    "const copy = { ...prog }; return copy.name === '' ? -1 : 0;",
    "return Object.entries(prog).length === 0 ? -1 : 0;",
    "return JSON.stringify(prog).length === 0 ? -1 : 0;",
    "const { insns, ...rest } = prog; return rest.name === '' ? -1 : 0;",
    "return Object.assign({}, prog).name === '' ? -1 : 0;",
    "return Object.getOwnPropertyDescriptors(prog).name.value === '' ? -1 : 0;",
  ])("records every fact of a copy: %s", async (body) => {
    const found = await dependencies(body);
    for (const fact of ["name", "license", "kernel_signature", "effects", "loaded"])
      expect(found).toContain(`subject ${fact}`);
  });

  it("keeps what the policy learned before an exception that it caught", async () => {
    const found = await dependencies("try { if (prog.name) throw 1; } catch { } return 0;");
    expect(found).toEqual(["subject name"]);
  });

  it("gives the policy the same facts as without the record", { tags: ["deep"] }, async () => {
    const body =
      "return JSON.stringify([prog, current]) === '' ? -1 : -JSON.stringify([prog, current]).length % 4000 - 1;";
    const [recorded, plain] = [await decided(body), await decided(body, false)];
    expect(recorded.enforced_verdict).toBe(plain.enforced_verdict);
    expect(plain.answers[0]).not.toHaveProperty("dependencies");
  });

  it("does not let the policy change or reach the record", async () => {
    const [answer] = (await decided("prog.name = 'x'; return 0;")).answers;
    expect(answer).toMatchObject({ fault: { code: "POLICY_ERROR" } });
    expect(await dependencies("return Object.isFrozen(current) && typeof Proxy === 'undefined' ? 0 : -1;")).not.toEqual(
      [],
    );
  });

  it("starts anew with each decision", async () => {
    expect(await dependencies("if (prog.name) return 0; return 0;")).toEqual(["subject name"]);
    const engine = open.at(-1)!;
    const decision = engine.decide({ hook: "bpf_prog_load", subject, current: task() });
    expect(decision.answers[0]!.dependencies).toEqual([{ on: "subject", name: "name" }]);
  });
});
