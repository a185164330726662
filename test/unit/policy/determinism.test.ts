import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EFFECTS } from "../../../src/bpf/model/facts.js";
import { HOOK_NAMES } from "../../../src/hooks/catalogue.js";
import { Domain } from "../../../src/policy/domain.js";
import { linkPolicy } from "../../../src/policy/linker/linker.js";
import type { Current } from "../../../src/policy/model/current.js";
import type { HostFunctions } from "../../../src/sandbox/host.js";
import { DEFAULT_LIMITS } from "../../../src/sandbox/shared/limits.js";
import { COMPLETE } from "../../support/share.js";
import { task } from "../../task.js";

const folder = fileURLToPath(new URL("../../../policies/", import.meta.url));
const SHIPPED = readdirSync(folder).filter((name) => /^[^.]+\.(js|ts)$/.test(name));
const SEED = Number(process.env.FUZZ_SEED ?? 20_240_229);

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.constantFrom("xdp", "sched_cls", "edge", "prod", "\0"),
);
const bytes = fc.option(fc.uint8Array({ maxLength: 64 }));
const map = fc.record({
  name: text,
  type: fc.constantFrom("hash", "percpu_array", "ringbuf"),
  key_size: fc.nat(64),
  value_size: fc.nat(4096),
  max_entries: fc.nat(1e6),
  flags: fc.nat(8),
  contents: fc.constant(null),
});
const program = {
  name: text,
  section: fc.option(text),
  type: fc.constantFrom("xdp", "sched_cls", "kprobe", "tracing"),
  insn_cnt: fc.nat(10_000),
  insns: fc.uint8Array({ maxLength: 64 }),
  raw_insns: fc.uint8Array({ maxLength: 64 }),
  digest: fc.constantFrom("d1", "d2"),
  helpers: fc.array(text, { maxLength: 4 }),
  maps: fc.array(map, { maxLength: 3 }),
  effects: fc.record(Object.fromEntries([...EFFECTS, "read_only"].map((name) => [name, fc.boolean()]))),
  signature: bytes,
  kernel_signature: bytes,
  statements: fc.array(fc.constant({ sha256: "00", settings: [] }), { maxLength: 2 }),
  mismatches: fc.array(fc.constant({ statement: "01", property: "license" }), { maxLength: 1 }),
};
const loaded = fc.option(fc.record({ verified_insns: fc.nat(200_000) }));
const subject = {
  bpf_prog_load: fc.record(program),
  bpf_prog: fc.record({ ...program, loaded }),
  blob_verify: fc.record({ name: text, data: fc.uint8Array(), signature: bytes }),
};
const labels = fc.option(fc.dictionary(fc.constantFrom("tier", "app", "__proto__", "toJSON"), text));
const current = fc.record({
  uid: fc.constantFrom(0, 1000, 4294967294),
  container: fc.option(fc.record({ id: text, name: fc.option(text), labels, annotations: fc.constant({}) })),
});

/** Helpers whose answers follow from what they are given. */
const FUNCTIONS: HostFunctions = {
  verify_signature: (data, signature) => ((data.length + (signature?.length ?? 0)) % 3 === 0 ? 0 : -126),
  signer_of: (data, signature) =>
    (data.length + (signature?.length ?? 0)) % 3 === 0
      ? { subject: null, key_id: "00", serial: null, issuer: null }
      : null,
  verify_program: (subject) => ((subject as { statements: unknown[] }).statements.length === 1 ? 0 : -126),
  statement_of: (subject) => (subject as { statements: unknown[] }).statements.length - 1,
  signer_of_program: () => null,
  hash: (algorithm, data) => `${algorithm}:${data.length}`,
  map_lookup: (_, key) => (key === "d1" ? { type: "xdp" } : key === "insns" ? 100 : undefined),
  map_update: () => 0,
  map_delete: () => 0,
};

describe.each(SHIPPED)("%s", (name) => {
  const policy = linkPolicy(name, {
    read: (path) => readFileSync(`${folder}${path}`, "utf8"),
    hookNames: HOOK_NAMES,
    root: "",
  });

  it.each(policy.hooks)("decides %s alike in a fresh runtime and a warm one", { tags: ["deep"] }, (hook) => {
    const warm = new Domain();
    const given = subject[hook as keyof typeof subject];
    fc.assert(
      fc.property(given, current, (about: object, who) => {
        const ask = (domain: Domain) =>
          domain.ask(policy, DEFAULT_LIMITS, hook, about, task(who as Partial<Current>), FUNCTIONS);
        const first = ask(new Domain());
        expect(ask(warm)).toEqual(first);
        expect(ask(warm)).toEqual(first);
      }),
      { seed: SEED, numRuns: COMPLETE ? 25 : 5 },
    );
  });
});
