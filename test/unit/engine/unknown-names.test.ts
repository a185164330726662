import { rmSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Config, readConfig } from "../../../src/config/config.js";
import { Engine } from "../../../src/engine/decision/engine.js";
import { verdictName } from "../../../src/errno.js";
import type { CountersignError } from "../../../src/error.js";
import type { Decision } from "../../../src/hooks/decision.js";
import { SIGNATURE_TYPES } from "../../../src/policy/model/signature-types.gen.js";
import { FORMATS } from "../../../src/trust/formats/formats.js";
import { Authority } from "../../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../../src/trust/issuing/sign-cms.js";
import { Workplace } from "../../support/workplace.js";
import { task } from "../../task.js";

/** Each helper is given names that it reads from the task, so that nothing can be checked when the policy is linked. */
const POLICY = `
  import * as countersign from "countersign";
  import { hash, map_delete, map_lookup, map_update, signer_of, verify_signature } from "countersign";
  export function blob_verify(blob, current) {
    const [helper, name, type, signed] = JSON.parse(current.comm);
    if (helper === "verify_signature")
      return verify_signature(blob.data, signed ? blob.signature : null, name, type);
    if (helper === "signer_of")
      return signer_of(blob.data, signed ? blob.signature : null, name, type) === null ? -61 : 0;
    if (helper === "member") return countersign.verify_signature(blob.data, signed ? blob.signature : null, name, type);
    if (helper === "map_lookup") return map_lookup(name, "key") === undefined ? 0 : 0;
    if (helper === "map_update") return map_update(name, "key", 1);
    if (helper === "map_delete") return map_delete(name, "key");
    return hash(name, blob.data) === "" ? -1 : 0;
  }`;
const DATA = Buffer.from("instructions");

let place: Workplace;
const open: Engine[] = [];
beforeEach(() => {
  place = new Workplace(
    "  - { policy: policies/p.js, limits: { steps: 100000000, timeout: 10s } }",
    "maps: { seen: { writable: { entries: 10, bytes: 1KiB }, writers: [p] } }",
  );
  place.write("policies/p.js", POLICY);
});
afterEach(() => {
  for (const engine of open.splice(0)) engine.close();
  rmSync(place.folder, { recursive: true });
});

/** An engine on the configuration, with these names of keyrings; `from` is the engine that it replaces. */
async function engine(names: readonly string[], { sealed = false, from = null as Engine | null } = {}) {
  const config = readConfig(place.config);
  const [model] = config.keyrings;
  const keyrings = names.map((name) => ({ ...model!, name, sealed }));
  const made = await Engine.open({ ...config, keyrings } as Config, { sealed: from?.sealed });
  open.push(made);
  return made;
}

function ask(engine: Engine, helper: string, name: string, type = "PKCS7", signed = false): Decision {
  const subject = { name: "blob", digest: "00".repeat(32), data: DATA, signature: signPkcs7(DATA, place.signer) };
  const current = task({ comm: JSON.stringify([helper, name, type, signed]) });
  return engine.decide({ hook: "blob_verify", subject, current });
}

/** The verdict's name, or why the policy failed. */
const answerOf = ({ verdict, denied_by }: Decision) =>
  denied_by?.code === "POLICY_ERROR" ? /no [a-z ]+ `[^`]*`/.exec(denied_by.reason)?.[0] : verdictName(verdict);

const NAMES = ["platfrom", "", "platform ", "PLATFORM", "toString", "__proto__", "constructor", "0", "k".repeat(100)];

describe.each([
  ["not sealed", false],
  ["sealed", true],
])("keyrings that are %s", (_, sealed) => {
  it.each(["verify_signature", "signer_of", "member"])(
    "fail a policy that computes another name for %s",
    { tags: ["deep"] },
    async (helper) => {
      const its = await engine(["platform"], { sealed });
      for (const type of SIGNATURE_TYPES)
        for (const signed of [false, true])
          for (const name of [...NAMES, ...NAMES]) {
            const decision = ask(its, helper, name, type, signed);
            expect(decision.denied_by, `${name} ${type} ${signed}`).toMatchObject({ code: "POLICY_ERROR" });
            expect(decision.denied_by?.reason).toContain(`no keyring \`${name}\``);
          }
    },
  );

  it.each(["verify_signature", "signer_of", "member"])(
    "fail a policy that computes another type for %s",
    async (helper) => {
      const its = await engine(["platform"], { sealed });
      for (const signed of [false, true])
        for (const type of [...NAMES, "PKCS8", "pkcs7", "MODSIG "])
          expect(answerOf(ask(its, helper, "platform", type, signed))).toBe(`no signature type \`${type}\``);
    },
  );

  it("answer that there is no signature for each type that a policy computes", { tags: ["deep"] }, async () => {
    const its = await engine(["platform", "__proto__", "0"], { sealed });
    for (const name of ["platform", "__proto__", "0"])
      for (const type of SIGNATURE_TYPES)
        for (const helper of ["verify_signature", "signer_of"])
          expect(answerOf(ask(its, helper, name, type)), `${helper} ${name} ${type}`).toBe("-ENODATA");
    for (const helper of ["verify_signature", "signer_of"])
      expect(answerOf(ask(its, helper, "platform", "PKCS7", true))).toBe("0");
  });

  it("are those of the engine that is asked, after a change of the configuration", { tags: ["deep"] }, async () => {
    const before = await engine(["platform", "old"], { sealed });
    const after = await engine(["platform", "new"], { sealed, from: before });
    const answers = (its: Engine) =>
      ["platform", "old", "new"].map((name) => answerOf(ask(its, "verify_signature", name)));
    for (let round = 0; round < 2; round++) {
      expect(answers(before)).toEqual(["-ENODATA", "-ENODATA", "no keyring `new`"]);
      expect(answers(after)).toEqual(["-ENODATA", "no keyring `old`", "-ENODATA"]);
    }
  });
});

it("keyrings keep their names when their files change", { tags: ["deep"] }, async () => {
  const its = await engine(["platform"]);
  const answers = () =>
    [false, true].flatMap((signed) =>
      ["platform", "platfrom"].map((name) => answerOf(ask(its, "verify_signature", name, "PKCS7", signed))),
    );
  expect(answers()).toEqual(["-ENODATA", "no keyring `platfrom`", "0", "no keyring `platfrom`"]);
  place.write("certs/ca.pem", Authority.create({ subject: "Other" }).pem.certificate);
  while (answers()[2] === "0") await pause(20);
  expect(answers()).toEqual(["-ENODATA", "no keyring `platfrom`", "-ENOKEY", "no keyring `platfrom`"]);
});

describe("the name of a keyring that a policy spells out", () => {
  const rejects = async (hook: string, call: string) => {
    place.write(
      "policies/p.js",
      `import * as c from "countersign"; export const ${hook} = (subject) => ${call} ? 0 : 0;`,
    );
    return engine(["platform", "PKCS7"]).then(
      () => null,
      ({ code, message }: CountersignError) => `${code}: ${message}`,
    );
  };

  it.each([
    ["blob_verify", "c.verify_signature(subject.data, null, KEYRING, c.PKCS7)"],
    ["blob_verify", "c.signer_of(subject.data, null, KEYRING, c.PKCS7)"],
    ["bpf_prog_load", "c.verify_program(subject, KEYRING)"],
    ["bpf_prog_load", "c.statement_of(subject, KEYRING)"],
    ["bpf_prog_load", "c.signer_of(subject, KEYRING)"],
  ])("is an error at start if there is no such keyring: %s, %s", async (hook, call) => {
    expect(await rejects(hook, call.replace("KEYRING", '"platform"'))).toBeNull();
    expect(await rejects(hook, call.replace("KEYRING", '"platfrom"'))).toMatch(/^POLICY_UNKNOWN_NAME: .*`platfrom`/);
  });
});

/** Stated: the program comes close to a statement, so that the sandbox asks the engine. */
describe.each([false, true])("a keyring that a policy computes for a program (stated: %s)", (stated) => {
  const mismatches = stated ? [{ statement: "00".repeat(32), property: "license", expected: "", found: "GPL" }] : [];
  const subject = { name: "f", digest: "00".repeat(32), signature: null, statements: [], mismatches, object: null };

  it.each(["verify_program", "statement_of", "signer_of"])("fails it if there is none, for %s", async (helper) => {
    place.write(
      "policies/p.js",
      `import * as c from "countersign";
      export const bpf_prog_load = (prog, { comm }) => (Number(c.${helper}(prog, JSON.parse(comm))) || -13);`,
    );
    const its = await engine(["platform"]);
    const load = (name: string) =>
      its.decide({ hook: "bpf_prog_load", subject: subject as never, current: task({ comm: JSON.stringify(name) }) });
    expect(answerOf(load("platform"))).toBe(helper === "verify_program" ? "-ENODATA" : "-EACCES");
    for (const name of NAMES) expect(load(name).denied_by, name).toMatchObject({ code: "POLICY_ERROR" });
  });
});

it("names of maps and digests that a policy computes fail it, too", { tags: ["deep"] }, async () => {
  const its = await engine(["platform"]);
  for (const name of NAMES) {
    for (const helper of ["map_lookup", "map_update", "map_delete"])
      expect(answerOf(ask(its, helper, name)), `${helper} ${name}`).toBe(`no map \`${name}\``);
    expect(ask(its, "hash", name).denied_by?.code, name).toBe("POLICY_ERROR");
  }
  expect(["map_update", "map_lookup", "map_delete"].map((helper) => answerOf(ask(its, helper, "seen")))).toEqual([
    "0",
    "0",
    "0",
  ]);
});

it("the types that the sandbox knows are those of keyrings", () => {
  expect(SIGNATURE_TYPES).toEqual(Object.keys(FORMATS));
});
