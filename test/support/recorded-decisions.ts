import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ProgramSubject } from "../../src/bpf/model/facts.js";
import { readConfig } from "../../src/config/config.js";
import { Engine } from "../../src/engine/decision/engine.js";
import { ERRNO } from "../../src/errno.js";
import { CountersignError } from "../../src/error.js";
import { GateDecisions } from "../../src/gate/decisions/gate-decisions.js";
import type { Origin } from "../../src/hooks/decision.js";
import type { MapSubject } from "../../src/hooks/subject.js";
import type { Current } from "../../src/policy/model/current.js";
import type { Mode } from "../../src/policy/model/mode.js";
import { Authority } from "../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../src/trust/issuing/sign-cms.js";
import { task } from "../task.js";

/** What each blob asks for is its name; the bodies of a policy for it. */
const BLOBS = {
  allowed: "return 0;",
  "denied with a reason": 'return deny("is not on the list");',
  "denied with another errno": 'return deny("is in use", EBUSY);',
  "denied without a reason": "return -EPERM;",
  "denied by a signature": 'return verify_signature(blob.data, blob.signature, "platform", PKCS7);',
  "allowed by a signature": 'note("checked"); return verify_signature(blob.data, blob.signature, "platform", PKCS7);',
  "reason not used": 'const no = deny("not this one"); return no === 0 ? no : -EPERM;',
  "map written":
    'map_update("seen", blob.name, 1); map_update("seen", "gone", 1); map_delete("seen", "gone"); return 0;',
  fault: 'throw new Error("broken");',
  "out of steps": "for (;;);",
  "bad return value": "return 1;",
} as const;

const POLICY = `import { deny, map_delete, map_update, note, verify_signature, EBUSY, EPERM, PKCS7 } from "countersign";
export function blob_verify(blob) {
${Object.entries(BLOBS)
  .map(([name, body]) => `  if (blob.name === ${JSON.stringify(name)}) { ${body} }`)
  .join("\n")}
  return 0;
}
export const bpf_map_create = (map) => map.name === "denied" ? deny("no maps") : 0;
`;

const CONFIG = `version: 1
keyrings: { platform: { trust: [ca.pem] } }
maps: { seen: { writable: { entries: 100, bytes: 8KiB }, writers: [guard, watch] } }
log: { file: decisions.jsonl, level: LEVEL }
default: { bpf: deny, bpf_token_create: audit }
attachments:
  - { name: guard, policy: policy.js, hooks: [blob_verify], scope: { uid: 0 }, limits: { timeout: 5s } }
  - { name: watch, policy: policy.js, hooks: [blob_verify], scope: { uid: 1 }, mode: audit, limits: { timeout: 5s } }
  - { name: lenient, policy: policy.js, hooks: [blob_verify], scope: { uid: 2 }, on_fault: allow, limits: { timeout: 5s } }
  - { name: lender, policy: policy.js, hooks: [bpf_map_create], delegate: true, freeze: true }
`;

const CALLERS: readonly Partial<Current>[] = [
  { uid: 0 },
  { uid: 1, container: { id: "c0", name: "web", labels: { tier: "edge" }, annotations: { owner: "net" } } },
  {
    uid: 2,
    exe: null,
    cgroup: "/system.slice/a.service",
    container: { id: "c1", name: null, labels: null, annotations: {} },
  },
];

const MAP = { name: "stats", digest: "ab".repeat(32) } as MapSubject;

const statement = (name: string, sha256: string) => {
  return { sha256: sha256.repeat(32), object_sha256: "0b".repeat(32), name, type: "xdp", settings: [] };
};
const PROGRAM = {
  ...{ name: "count_packets_o", digest: "ba".repeat(32), object: null, mismatches: [] },
  statements: [statement("count_packets_of_interface", "01"), statement("count_packets_on_entry", "02")],
} as unknown as ProgramSubject;

/**
 * Lines of real logs with each kind of record: every verdict, faults, denials by the gate, a loader's probe, grants,
 * changes of a keyring, loads that wait; in enforcement and in a dry run, by each origin.
 */
export async function recordedLines(level: "decision" | "inputs" = "decision"): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const [origin, mode] of [
    ["run", "enforce"],
    ["agent", "audit"],
    ["check", "enforce"],
    ["library", "enforce"],
  ] as const)
    lines.push(...(await record(origin, mode, level)));
  return lines;
}

async function record(origin: Origin, mode: Mode, level: string): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-record-"));
  const authority = Authority.create({ subject: "CA" });
  writeFileSync(join(folder, "ca.pem"), authority.pem.certificate);
  writeFileSync(join(folder, "policy.js"), POLICY);
  writeFileSync(join(folder, "countersign.yaml"), CONFIG.replace("LEVEL", level));
  const engine = await Engine.open({ ...readConfig(join(folder, "countersign.yaml")), origin, mode });
  const data = Buffer.from("data");
  const signed = signPkcs7(data, authority.issue({ subject: "Signer" }));
  for (const caller of CALLERS)
    for (const name of Object.keys(BLOBS)) {
      const isSigned = name === "allowed by a signature";
      const signature = isSigned ? signed : null;
      // Another time than now, at which the certificate is not valid
      const time = isSigned ? undefined : Date.UTC(2026, 0, 2);
      const subject = { name, digest: "00".repeat(32), data, signature, path: `blobs/${name}` };
      engine.decide({ hook: "blob_verify", subject, current: task(caller), time });
    }
  for (const name of ["stats", "denied"])
    engine.decide({
      hook: "bpf_map_create",
      subject: { ...MAP, name },
      current: task(),
      missingCapabilities: ["CAP_BPF"],
      operation: "a1",
    });
  engine.decide({ hook: "bpf_prog_load", subject: PROGRAM, current: task() });
  const gate = new GateDecisions(
    engine,
    () => {},
    () => [[3, { code: "SUSPENDED", message: "is suspended", place: null }]],
  );
  gate.decide("bpf_map_create", MAP, task(), "a2");
  gate.decide("bpf", { name: "BPF_OBJ_PIN", digest: "" } as never, task(), "a3");
  gate.decide("bpf_token_create", { name: "token", digest: "" } as never, task(), "a4");
  const event = { current: task(), operation: "a5" };
  const subject = { name: "old", digest: "cd".repeat(32), id: 7 };
  const denial = { verdict: -ERRNO.ENOENT, rule: "existing", reason: "the gate never handed out this map" };
  gate.record({ ...event, hook: "bpf_map", subject, denial, probe: null });
  gate.record({
    ...event,
    hook: "bpf_prog_load",
    subject: { name: "", digest: "ef".repeat(32) },
    denial: null,
    probe: "libbpf 1.5",
  });
  engine.log.keyring({ keyring: "platform", generation: 2, error: null });
  engine.log.keyring({
    keyring: "platform",
    generation: 2,
    error: new CountersignError("FILE_UNREADABLE", "is no key", { place: "ca.pem", remedy: "replace it" }),
  });
  engine.log.throttle(CALLERS[1]!.container ?? null, 200);
  engine.log.throttle(null, 200);
  engine.close();
  return readFileSync(join(folder, "decisions.jsonl"), "utf8").trimEnd().split("\n");
}
