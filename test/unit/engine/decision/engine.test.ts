import { readFileSync, rmSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { sha256 } from "../../../../src/bpf/insn/digest.js";
import type { ProgramSubject } from "../../../../src/bpf/model/facts.js";
import { NO_STATEMENTS } from "../../../../src/bpf/model/facts.js";
import { factsOfObject } from "../../../../src/bpf/object.js";
import { statementOf } from "../../../../src/bpf/statement.js";
import { readConfig } from "../../../../src/config/config.js";
import { Engine } from "../../../../src/engine/decision/engine.js";
import { ERRNO } from "../../../../src/errno.js";
import type { Decision } from "../../../../src/hooks/decision.js";
import type { Current } from "../../../../src/policy/model/current.js";
import type { Issued } from "../../../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../../../src/trust/issuing/sign-cms.js";
import { statementName } from "../../../../src/trust/store.js";
import { own, Workplace } from "../../../support/workplace.js";
import { task } from "../../../task.js";

const object = readFileSync(own("examples/peek-tc.o"));
const [peek] = factsOfObject(object).programs as [ReturnType<typeof factsOfObject>["programs"][number]];
const unsigned: ProgramSubject = {
  ...peek,
  signature: null,
  ...NO_STATEMENTS,
  kernel_signature: null,
  object: null,
  kernel_keyring: null,
  loaded: null,
  rewritten: false,
};
const blob = (data: string, signature: Uint8Array | null = null) => {
  return { name: "blob", digest: "00".repeat(32), data: Buffer.from(data), signature };
};
const inside = (labels: Record<string, string> | null) =>
  task({ container: { id: "c0", name: null, labels, annotations: {} } });

const open: Engine[] = [];
afterEach(() => {
  for (const engine of open.splice(0)) engine.close();
});

/** An engine for a configuration with these attachments; policies are texts by name, or those that ship. */
async function engineFor(
  attachments: string,
  policies: Record<string, string>,
  more = "",
  files: Record<string, string> = {},
): Promise<[Engine, Workplace]> {
  const place = new Workplace(attachments, more);
  for (const [name, text] of Object.entries(files)) place.write(name, text);
  for (const [name, text] of Object.entries(policies)) place.write(`policies/${name}.js`, text);
  const engine = await Engine.open(readConfig(place.config));
  open.push(engine);
  return [engine, place];
}

const load = (engine: Engine, subject = unsigned, current: Current = task()) =>
  engine.decide({ hook: "bpf_prog_load", subject, current });

/** The examples of a policy that the guide begins with. */
const VERIFY_ALL = `
  import { verify_signature, PKCS7 } from "countersign";
  export const bpf_prog_load = (prog) => verify_signature(prog.insns, prog.signature, "platform", PKCS7);`;
const UNSIGNED_TC = `
  import { verify_signature, deny, PKCS7 } from "countersign";
  export function bpf_prog_load(prog) {
    if (verify_signature(prog.insns, prog.signature, "platform", PKCS7) === 0) return 0;
    if (prog.effects.reads_kernel_memory) return deny("reads kernel memory and is not signed");
    return prog.type === "sched_cls" ? 0 : deny("only tc programs may be unsigned");
  }`;
const VERIFY_BLOBS = `
  import { verify_signature, map_lookup, PKCS7 } from "countersign";
  export function blob_verify(blob, current) {
    const reject = verify_signature(blob.data, blob.signature, "network", PKCS7);
    const rule = map_lookup("container_policy", current.container?.labels.tier ?? "");
    return rule?.require_signature === false ? 0 : reject;
  }`;

describe("an engine decides by", () => {
  it("a policy that verifies everything", async () => {
    const [engine, place] = await engineFor("  - policy: policies/verify-all.js", { "verify-all": VERIFY_ALL });
    expect(load(engine)).toMatchObject({
      verdict: -ERRNO.ENODATA,
      denied_by: { attachment: "verify-all", code: "SIGNATURE_INVALID" },
      subject: { kind: "program", name: "peek", digest: peek.digest },
    });
    const signature = signPkcs7(peek.insns, place.signer);
    expect(load(engine, { ...unsigned, signature })).toMatchObject({ verdict: 0, denied_by: null });
    signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
    expect(load(engine, { ...unsigned, signature }).denied_by?.code).toBe("SIGNATURE_INVALID");
  });

  it("a policy that lets unsigned tc programs through, if they do not read the kernel's memory", async () => {
    const [engine] = await engineFor("  - policy: policies/tc.js", { tc: UNSIGNED_TC });
    expect(load(engine)).toMatchObject({
      verdict: -ERRNO.EPERM,
      denied_by: {
        code: "DENIED_BY_POLICY",
        reason: expect.stringMatching(
          /^tc: reads kernel memory and is not signed \(reads_kernel_memory: calls `bpf_get_current_task` at peek-tc\.bpf\.c:17 \(instruction 0\); verify_signature platform PKCS7: -ENODATA/,
        ),
      },
    });
    const calm = { ...peek.effects, reads_kernel_memory: false };
    expect(load(engine, { ...unsigned, effects: calm }).verdict).toBe(0);
    expect(load(engine, { ...unsigned, effects: calm, type: "xdp" }).denied_by?.reason).toContain("only tc programs");
  });

  it("a policy that asks who signed", async () => {
    const policy = `import { deny, PKCS7, signer_of } from "countersign";
      export const bpf_prog_load = (prog) =>
        signer_of(prog.insns, prog.signature, "platform", PKCS7)?.subject === "CN=Signer" ? 0 : deny("not released");`;
    const [engine, place] = await engineFor("  - policy: policies/p.js", { p: policy });
    const other = place.ca.issue({ subject: "Developer" });
    const reasonOf = (signature: Buffer | null) => load(engine, { ...unsigned, signature }).denied_by?.reason;
    expect(reasonOf(signPkcs7(peek.insns, place.signer))).toBeUndefined();
    expect(reasonOf(signPkcs7(peek.insns, other))).toBe("p: not released (signer_of platform PKCS7: CN=Developer)");
    expect(reasonOf(null)).toBe("p: not released (signer_of platform PKCS7: none (-ENODATA: there is no signature))");
    expect(reasonOf(signPkcs7(peek.raw_insns.subarray(8), place.signer))).toMatch(
      /^p: not released \(signer_of platform PKCS7: none \(-EKEYREJECTED: the signature is over other data/,
    );
    expect(load(engine, { ...unsigned, signature: signPkcs7(peek.insns, other) }).keyrings).toEqual({ platform: 1 });
  });

  it("a policy that verifies programs, and asks who signed them", { tags: ["deep"] }, async () => {
    const policy = `import { deny, signer_of, statement_of, verify_program } from "countersign";
      export function bpf_prog_load(prog, current) {
        const verdict = verify_program(prog, "platform");
        if (verdict !== 0 || current.uid === 0) return verdict;
        const [limit] = statement_of(prog, "platform").settings;
        if (limit.value > 10) return deny("the limit is too high");
        return signer_of(prog, "platform").subject === "CN=Signer" ? 0 : deny("not released");
      }`;
    const place = new Workplace("  - policy: policies/p.js");
    place.write("policies/p.js", policy);
    const { bytes, statement } = statementOf(object);
    const objectSha256 = sha256(object);
    place.write(`signatures/${statementName(statement.sha256)}`, bytes);
    const signedBy = async (who: Issued | null): Promise<Engine> => {
      rmSync(place.at(`signatures/${statement.sha256}.p7s`), { force: true });
      if (who !== null) place.write(`signatures/${statement.sha256}.p7s`, signPkcs7(Buffer.from(bytes), who));
      const engine = await Engine.open(readConfig(place.config));
      open.push(engine);
      return engine;
    };
    let engine = await signedBy(place.signer);
    const setting = { name: "limit", kind: "variable", type: "const volatile int", value: 10, declared: 1 } as const;
    const facts = { sha256: statement.sha256, object_sha256: objectSha256, name: "peek", type: "kprobe" };
    const program = (value: number) => ({ ...unsigned, statements: [{ ...facts, settings: [{ ...setting, value }] }] });
    const reasonOf = (subject: ProgramSubject, uid = 1) => load(engine, subject, task({ uid })).denied_by?.reason;
    expect(load(engine, program(10), task({ uid: 1 }))).toMatchObject({ verdict: 0, keyrings: { platform: 1 } });
    expect(reasonOf(program(11))).toBe(`p: the limit is too high (statement_of platform: ${statement.sha256})`);
    const named = { sha256: statement.sha256, object_sha256: objectSha256, name: "peek" };
    expect(load(engine, program(10), task({ uid: 1 })).subject.statements).toEqual([named]);
    expect(load(engine, unsigned).subject).not.toHaveProperty("statements");
    const many = { ...unsigned, statements: Array.from({ length: 70 }, () => program(10).statements[0]!) };
    expect(load(engine, many).subject.statements).toHaveLength(64);
    engine = await signedBy(place.ca.issue({ subject: "Developer" }));
    expect(reasonOf(program(10))).toBe(
      `p: not released (statement_of platform: ${statement.sha256}; signer_of platform: CN=Developer)`,
    );
    engine = await signedBy(null);
    expect(reasonOf(program(10), 0)).toBe(
      "p: verify_program platform: -ENODATA (there is no signature over the statement)",
    );
    expect(load(engine, unsigned, task({ uid: 0 })).denied_by).toMatchObject({
      code: "SIGNATURE_INVALID",
      reason: expect.stringMatching(
        /^p: verify_program platform: -ENODATA \(it matches no statement .* `sign --programs`\)$/,
      ),
    });
    expect(reasonOf({ ...unsigned, signature: signPkcs7(peek.insns, place.signer) }, 0)).toBe(
      "p: verify_program platform: -ENODATA " +
        "(it was signed before relocation: sign its object again with `sign --programs`)",
    );
    engine = await signedBy(place.signer);
    const different = { statement: statement.sha256, property: "license", expected: "GPL", found: "MIT" };
    expect(reasonOf({ ...unsigned, mismatches: [different] })).toBe(
      "p: verify_program platform: -EKEYREJECTED (it is not what was signed: `license` is `MIT`, not `GPL` " +
        `(statement ${statement.sha256}))`,
    );
  });

  it("a policy that looks up a rule for the calling task", async () => {
    const files = { "rules.yaml": "lab: { require_signature: false }\n" };
    const maps = "maps: { container_policy: { file: rules.yaml } }";
    const [engine] = await engineFor("  - policy: policies/blobs.js", { blobs: VERIFY_BLOBS }, maps, files);
    const ask = (current: Current) => engine.decide({ hook: "blob_verify", subject: blob("data"), current }).verdict;
    expect([ask(task()), ask(inside({ tier: "lab" })), ask(inside({ tier: "prod" }))]).toEqual([
      -ERRNO.ENODATA,
      0,
      -ERRNO.ENODATA,
    ]);
  });

  it("the container's labels, under the policy that ships for that", async () => {
    const shipped = readFileSync(own("policies/container-lockdown.js"), "utf8");
    const [engine] = await engineFor("  - policy: policies/lockdown.js", { lockdown: shipped });
    const verdicts = [task(), inside({}), inside({ tier: "edge" }), inside(null)].map(
      (current) => load(engine, unsigned, current).verdict,
    );
    expect(verdicts).toEqual([0, 0, -ERRNO.ENODATA, -ERRNO.ENODATA]);
  });
});

describe("whatever a policy does", () => {
  const WRONG = `
    import { map_lookup, verify_signature } from "countersign";
    export function blob_verify(blob, current) {
      if (current.comm === "loop") for (;;) {}
      if (current.comm === "throw") throw new Error("no");
      if (current.comm === "keyring") return verify_signature(blob.data, blob.data, "plat" + "from", "PKCS7");
      if (current.comm === "map") return map_lookup("no" + "ne", "a");
      if (current.comm === "type") return verify_signature(blob.data, blob.data, "platform", "PKCS" + "8");
      return current.comm === "text" ? "0" : 0;
    }`;

  it.each([
    ["loop", "OUT_OF_STEPS", "policies/wrong.js:4:"],
    ["throw", "POLICY_ERROR", "policies/wrong.js:5:"],
    ["keyring", "POLICY_ERROR", "no keyring `platfrom` (did you mean `platform`?)"],
    ["map", "POLICY_ERROR", "no map `none`"],
    ["type", "POLICY_ERROR", "no signature type `PKCS8` (did you mean `PKCS7`?)"],
    ["text", "BAD_RETURN_VALUE", "policies/wrong.js"],
  ])("%s is the fault %s, and the next decision is right", async (comm, code, words) => {
    // a loop ends by its steps, however busy the machine is
    const [engine] = await engineFor("  - policy: policies/wrong.js\n    limits: { timeout: 10s }", { wrong: WRONG });
    const decision = engine.decide({ hook: "blob_verify", subject: blob("data"), current: task({ comm }) });
    expect(decision).toMatchObject({ verdict: -ERRNO.EPERM, denied_by: { attachment: "wrong", code } });
    expect(decision.denied_by?.reason).toContain(words);
    expect(engine.decide({ hook: "blob_verify", subject: blob("data"), current: task() }).verdict).toBe(0);
  });
});

describe("maps that policies write", () => {
  const COUNT = `
    import { deny, map_lookup, map_update } from "countersign";
    export function blob_verify(blob) {
      const seen = (map_lookup("seen", "n") ?? 0) + 1;
      map_update("seen", "n", seen);
      return seen > 2 ? deny("seen " + seen) : 0;
    }`;
  const ask = (engine: Engine) => engine.decide({ hook: "blob_verify", subject: blob("data"), current: task() });
  const writable = "maps: { seen: { writable: { entries: 10, bytes: 1KiB } } }";

  it("keep their state from one decision to the next, which is in the decision", async () => {
    const [engine] = await engineFor("  - policy: policies/count.js", { count: COUNT }, writable);
    const decisions = [ask(engine), ask(engine), ask(engine)];
    expect(decisions.map(({ verdict }) => verdict)).toEqual([0, 0, -1]);
    expect(decisions[2]?.denied_by?.reason).toBe("count: seen 3");
    expect(decisions[1]?.answers[0]?.writes).toEqual([{ map: "seen", key: "n", value: "2" }]);
  });

  it("keep it in a dry run as in enforcement, so that later decisions are predicted as well", {
    tags: ["deep"],
  }, async () => {
    const attachments = "  - policy: policies/count.js\n  - { name: audit, policy: policies/count.js, mode: audit }";
    const decisions = async (mode: string) => {
      const [engine] = await engineFor(attachments, { count: COUNT }, `mode: ${mode}\n${writable}`);
      return [ask(engine), ask(engine), ask(engine)];
    };
    const [dry, enforced] = [await decisions("audit"), await decisions("enforce")];
    const predicted = ({ enforced_verdict, denied_by, audit_denials, answers }: Decision) => ({
      ...{ enforced_verdict, denied_by, audit_denials },
      answers: answers.map(({ duration_us: _, ...answer }) => answer),
    });
    expect(dry.map(predicted)).toEqual(enforced.map(predicted));
    expect(dry.map(({ verdict }) => verdict)).toEqual([0, 0, 0]);
    expect(enforced.map(({ verdict }) => verdict)).toEqual([0, 0, -1]);
    expect(dry[2]?.denied_by?.reason).toBe("count: seen 3");
  });

  it("can start with the writes that an earlier engine committed", async () => {
    const [before] = await engineFor("  - policy: policies/count.js", { count: COUNT }, writable);
    const writes = [ask(before), ask(before)].flatMap(({ answers }) => answers[0]?.writes ?? []);
    const [after] = await engineFor("  - policy: policies/count.js", { count: COUNT }, writable);
    after.restore([{ attachment: "count", writes }]);
    expect(ask(after).denied_by?.reason).toBe("count: seen 3");
  });

  it("are the same in audit, for the one that writes", async () => {
    const attachments =
      "  - policy: policies/count.js\n    mode: audit\n  - { name: other, policy: policies/count.js }";
    const [engine] = await engineFor(attachments, { count: COUNT }, writable);
    const decisions = [ask(engine), ask(engine), ask(engine)];
    expect(decisions.map(({ answers }) => answers.map(({ verdict }) => verdict))).toEqual([
      [0, 0],
      [0, 0],
      [-1, -1],
    ]);
  });
});

describe("an engine", () => {
  it("gives every decision an id, the real time beside the judged one, and how long it took", async () => {
    const [engine] = await engineFor("  - policy: policies/tc.js", { tc: UNSIGNED_TC });
    const first = engine.decide({ hook: "bpf_prog_load", subject: unsigned, current: task(), time: 5 });
    const second = load(engine);
    expect(first.judged_time).toBe(5);
    expect(first.time).toBeGreaterThan(Date.UTC(2020));
    expect(second.judged_time).toBe(second.time);
    expect(first.id).not.toBe(second.id);
    expect(second.duration_us).toBeGreaterThan(0);
  });

  it("answers the same in audit and in enforcement, for every task and subject", { tags: ["deep"] }, async () => {
    const attachments = (mode: string) =>
      `  - { policy: policies/tc.js, mode: ${mode}, scope: { uid: 0-9 } }\n  - { policy: policies/lockdown.js, mode: ${mode} }`;
    const policies = { tc: UNSIGNED_TC, lockdown: readFileSync(own("policies/container-lockdown.js"), "utf8") };
    const [enforce] = await engineFor(attachments("enforce"), policies);
    const [audit] = await engineFor(attachments("audit"), policies);
    const tier = fc.constantFrom(null, {}, { tier: "edge" }, { tier: "prod" }, { tier: "lab" });
    const denials = ({ denied_by, audit_denials }: Decision) => [...(denied_by ? [denied_by] : []), ...audit_denials];
    const strip = (decision: Decision) => ({
      first: denials(decision)[0],
      said: decision.answers.map((one) => [one.verdict, one.steps, one.denial]),
    });
    fc.assert(
      fc.property(
        tier,
        fc.boolean(),
        fc.nat(20),
        fc.constantFrom("sched_cls", "xdp"),
        fc.boolean(),
        (labels, host, uid, type, reads) => {
          const effects = { ...peek.effects, reads_kernel_memory: reads };
          const current = { ...(host ? task() : inside(labels)), uid };
          const [one, other] = [
            load(enforce, { ...unsigned, type, effects }, current),
            load(audit, { ...unsigned, type, effects }, current),
          ];
          expect(other.verdict).toBe(0);
          expect(strip(other)).toEqual(strip(one));
        },
      ),
      { numRuns: 200 },
    );
  });

  it("decides nothing once it is closed", async () => {
    const [engine] = await engineFor("  - policy: policies/tc.js", { tc: UNSIGNED_TC });
    engine.close();
    engine.close();
    expect(() => load(engine)).toThrow(expect.objectContaining({ code: "ENGINE_CLOSED" }));
  });

  it("denies operations whose decision cannot be logged", async () => {
    const log = "log: { file: log/d.jsonl, rotate: 1B }";
    const allow = { allow: "export const bpf_prog_load = () => 0;" };
    const [engine, place] = await engineFor("  - policy: policies/allow.js", allow, log, { "log/keep": "" });
    expect(load(engine).verdict).toBe(0);
    rmSync(place.at("log"), { recursive: true });
    writeFileSync(place.at("log"), "in the way");
    expect(load(engine)).toMatchObject({
      verdict: -ERRNO.EPERM,
      denied_by: { attachment: null, code: "INTERNAL_FAULT" },
    });
  });
});
