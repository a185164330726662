import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { explainText } from "../../../../src/cli/output/explain-text.js";
import type { Explanation } from "../../../../src/workbench/explain/explanation.js";
import {
  askBlob,
  askGate,
  askMap,
  askProgram,
  type Denied,
  explainedDenial,
  otherConstant,
  signBy,
  stranger,
} from "../../../support/denials.js";
import { own } from "../../../support/workplace.js";

const DAY = 86_400_000;
const PAST = Date.now() - 2 * DAY;
const container = (labels: Readonly<Record<string, string>> | null) => {
  return { container: { id: "c0", name: "web", labels, annotations: { team: "net" } } };
};
/** A policy for blobs, with all names that bodies use. */
const blob = (
  body: string,
) => `import { deny, hash, map_lookup, map_update, read, verify_signature, EBUSY, PKCS7 } from "countersign";
export function blob_verify(blob, current) {
  ${body}
}
void [deny, hash, map_lookup, map_update, read, verify_signature, EBUSY, PKCS7];
`;
const SIGNED = blob('return verify_signature(blob.data, blob.signature, "platform", PKCS7);');
const PROGRAM = `import { deny, verify_program } from "countersign";
export function bpf_prog_load(prog) {
  const verdict = verify_program(prog, "platform");
  return verdict === 0 ? 0 : deny("is not signed");
}
`;
const KNOWN = "maps: { known: { file: known.yaml } }\n";
const withMap = (denied: Kind): Kind => {
  return { config: KNOWN, prepare: (place) => void place.write("known.yaml", "other: 1\n"), ...denied };
};

interface Kind extends Denied {
  readonly code: string;
  /** The source that returned, or null after a fault or without a policy. */
  readonly returned: string | null;
  /** What the explanation says, beside the code. */
  readonly says: readonly string[];
}

/** Kinds of denials, and the cause that each explanation must name. */
const KINDS: Readonly<Record<string, Kind>> = {
  "an unsigned blob": {
    policy: SIGNED,
    code: "SIGNATURE_INVALID",
    returned: "verify_signature(blob.data",
    says: ['verify_signature(blob.data, null, "platform", PKCS7) = -ENODATA', "because there is no signature"],
  },
  "a signature over something else": {
    policy: SIGNED,
    ask: askBlob(signBy(({ signer }) => signer, Buffer.from("other"))),
    code: "SIGNATURE_INVALID",
    returned: "verify_signature(blob.data",
    says: ['"platform", PKCS7) = -EKEYREJECTED', "digest"],
  },
  "an expired certificate": {
    policy: SIGNED,
    ask: askBlob(signBy(({ ca }) => ca.issue({ subject: "Old", notBefore: PAST - DAY, notAfter: PAST }))),
    code: "SIGNATURE_INVALID",
    returned: "verify_signature(blob.data",
    says: ["= -EKEYEXPIRED", "CN=Old"],
  },
  "a revoked signer": {
    policy: SIGNED,
    prepare: (place) => {
      const revoked = place.ca.issue({ subject: "Lost", serial: 0x1234n });
      place.write("lost.pem", revoked.pem.certificate);
      place.write("lost.p7s", signBy(() => revoked)(place));
      place.write(
        "countersign.yaml",
        `version: 1\nlog: { file: decisions.jsonl, level: inputs }
keyrings: { platform: { trust: [certs/ca.pem], revoked: { certificates: [lost.pem] } } }
attachments: [{ name: a, policy: policy.js, limits: { timeout: 5s } }]\n`,
      );
      LOST.set(place.folder, revoked);
    },
    ask: askBlob(signBy(({ folder }) => LOST.get(folder)!)),
    code: "SIGNATURE_INVALID",
    returned: "verify_signature(blob.data",
    says: ["= -EKEYREVOKED", "certificate `CN=Lost` is on the block list", "rule block list"],
  },
  "a signer of no trusted authority": {
    policy: SIGNED,
    ask: askBlob(signBy(() => stranger.issue({ subject: "Somebody" }))),
    code: "SIGNATURE_INVALID",
    returned: "verify_signature(blob.data",
    says: ["= -ENOKEY", "platform"],
  },
  "a certificate for another usage": {
    policy: SIGNED,
    ask: askBlob(signBy(({ ca }) => ca.issue({ subject: "Server", usage: ["1.3.6.1.5.5.7.3.1"] }))),
    code: "SIGNATURE_INVALID",
    returned: "verify_signature(blob.data",
    says: ["= -EKEYREJECTED", "      rule "],
  },
  "an unknown keyring": {
    policy: blob('return verify_signature(blob.data, blob.signature, "plat" + blob.name, PKCS7);'),
    ask: askBlob(signBy(({ signer }) => signer)),
    code: "POLICY_ERROR",
    returned: null,
    says: ["no keyring `platblob`", "policy.js:3:3", 'read blob.name: "blob"'],
  },
  "an effect": {
    policy: {},
    attachments: `  - { policy: policies/no-kernel-read.js, limits: { timeout: 5s } }\n`,
    prepare: (place) => void place.policy("no-kernel-read.js"),
    ask: askProgram("peek-tc"),
    code: "DENIED_BY_POLICY",
    returned: 'deny("may read kernel memory")',
    says: [
      "read prog.effects.reads_kernel_memory: true",
      "condition is true",
      "reads_kernel_memory ",
      "peek-tc.bpf.c:",
    ],
  },
  "a key that a map does not have": withMap({
    policy: blob('return map_lookup("known", blob.name) === 1 ? 0 : deny("is not known");'),
    code: "DENIED_BY_POLICY",
    returned: "map_lookup",
    says: [
      'map_lookup("known", "blob") = undefined: the map has no such key',
      "branch policy.js:3:10 condition is false",
    ],
  }),
  "a value of a map": withMap({
    policy: blob('return map_lookup("known", "other") === 2 ? 0 : deny("is another one");'),
    code: "DENIED_BY_POLICY",
    returned: "map_lookup",
    says: ['map_lookup("known", "other") = 1'],
  }),
  "a label that is missing": {
    policy: blob('if (current.container?.labels?.tier !== "edge") return deny("only for tier edge");\n  return 0;'),
    current: container({ app: "web" }),
    code: "DENIED_BY_POLICY",
    returned: "only for tier edge",
    says: ['read current.container.labels: {"app":"web"}', "container web app=web"],
  },
  "unknown labels": {
    policy: blob("return current.container.labels === null ? deny('labels are unknown') : 0;"),
    current: container(null),
    code: "DENIED_BY_POLICY",
    returned: "labels are unknown",
    says: ["read current.container.labels: null", "with unknown labels"],
  },
  "the default": {
    policy: blob("return 0;"),
    attachments: "  - { name: a, policy: policy.js, scope: { uid: 1000 } }\n",
    config: "default: { blob_verify: deny }\n",
    code: "DENIED_BY_DEFAULT",
    returned: null,
    says: [
      "a (enforce, policy.js) was not in scope",
      "scope uid 0 does not match 1000",
      "default of blob_verify is deny",
    ],
  },
  "the default, since the attachment is at another hook": {
    policy: `export const bpf_map = () => 0;`,
    config: "default: { blob_verify: deny }\n",
    code: "DENIED_BY_DEFAULT",
    returned: null,
    says: ["scope it is attached to bpf_map, not to blob_verify"],
  },
  "the default, since the only attachment failed": {
    policy: blob("throw new Error('broken');"),
    attachments: "  - { name: a, policy: policy.js, on_fault: allow, limits: { timeout: 5s } }\n",
    config: "default: { blob_verify: deny }\n",
    code: "DENIED_BY_DEFAULT",
    returned: null,
    says: ["fault POLICY_ERROR: threw Error: broken at policy.js:3", "default of blob_verify is deny"],
  },
  "a scope by labels": {
    policy: blob("return deny('not at the edge');"),
    attachments:
      '  - { name: a, policy: policy.js, scope: { labels: "tier=edge" }, limits: { timeout: 5s } }\n' +
      '  - { name: core, policy: policy.js, scope: { labels: "tier=core" } }\n',
    current: container({ tier: "edge" }),
    code: "DENIED_BY_POLICY",
    returned: "not at the edge",
    says: [
      "scope labels tier=edge match tier=edge",
      "core (enforce, policy.js) was not in scope",
      "tier=edge do not match tier=core",
    ],
  },
  "steps that ran out": {
    policy: blob("for (;;) {}"),
    code: "OUT_OF_STEPS",
    returned: null,
    says: ["used more than its ", "fault OUT_OF_STEPS"],
  },
  "memory that ran out": {
    policy: blob("const all = []; for (;;) all.push('x'.repeat(100000) + all.length);"),
    attachments: "  - { name: a, policy: policy.js, limits: { memory: 1MiB, timeout: 5s } }\n",
    code: "OUT_OF_MEMORY",
    returned: null,
    says: ["ran out of its 1048576 bytes of memory"],
  },
  "a policy that throws": {
    policy: blob("return current.container.id.length;"),
    code: "POLICY_ERROR",
    returned: null,
    says: ["read current.container: null", "threw TypeError", "policy.js:3:"],
  },
  "a value that is no integer": {
    policy: blob('return "yes";'),
    code: "BAD_RETURN_VALUE",
    returned: 'return "yes"',
    says: ['answered the string "yes"'],
  },
  "a function that returns nothing": {
    policy: blob("if (current.uid === 5) return 0;"),
    code: "BAD_RETURN_VALUE",
    returned: "}",
    says: ["answered undefined", "read current.uid: 0", "condition is false"],
  },
  "a fact that does not exist": {
    policy: blob("return blob['si' + 'ze'] > 5 ? -1 : 0;"),
    code: "UNKNOWN_FACT",
    returned: null,
    says: ["`size`"],
  },
  "a denial by the gate": {
    policy: blob("return 0;"),
    ask: askGate,
    code: "DENIED_BY_GATE",
    returned: null,
    says: ["the gate never handed out this map", "no policy was asked"],
  },
  "a program without a statement": {
    policy: PROGRAM,
    ask: askProgram("peek-tc"),
    code: "DENIED_BY_POLICY",
    returned: "is not signed",
    says: ['verify_program(prog, "platform") = -ENODATA', "it matches no statement in the folders of signatures"],
  },
  "a program that differs from its statement": {
    policy: PROGRAM,
    prepare: (place) => place.signPrograms(example("peek-tc")),
    ask: askProgram("peek-tc", otherConstant),
    code: "DENIED_BY_POLICY",
    returned: "is not signed",
    says: [
      'verify_program(prog, "platform") = -EKEYREJECTED',
      "it is not what was signed: `insns` is `b701000001000000`",
    ],
  },
  "a statement that a stranger signed": {
    policy: PROGRAM.replaceAll('"platform"', '"network"'),
    config: "",
    prepare: (place) => {
      place.signPrograms(example("peek-tc"));
      place.write("certs/other.pem", stranger.pem.certificate);
      place.write(
        "countersign.yaml",
        `version: 1\nlog: { file: decisions.jsonl, level: inputs }\nsignatures: [signatures]
keyrings: { network: { trust: [certs/other.pem] } }
attachments: [{ name: a, policy: policy.js, limits: { timeout: 5s } }]\n`,
      );
    },
    ask: askProgram("peek-tc"),
    code: "DENIED_BY_POLICY",
    returned: "is not signed",
    says: ['verify_program(prog, "network") = -ENOKEY', "because "],
  },
  "the second of two attachments": {
    policy: { "first.js": blob("return 0;"), "second.js": blob("return deny('is in use', EBUSY);") },
    attachments:
      "  - { name: first, policy: first.js, limits: { timeout: 5s } }\n" +
      "  - { name: second, policy: second.js, limits: { timeout: 5s } }\n",
    code: "DENIED_BY_POLICY",
    returned: "is in use",
    says: ["denied -EBUSY", "returned 0 at first.js:3", "returned -EBUSY at second.js:3", "second: is in use"],
  },
  "a function of an imported file": {
    policy: {
      "policy.js": 'import { check } from "./lib.js";\nexport const blob_verify = (blob) => check(blob);\n',
      "lib.js":
        'import { deny } from "countersign";\nexport function check(blob) {\n  if (blob.signature) return 0;\n  return deny("unsigned");\n}\n',
    },
    code: "DENIED_BY_POLICY",
    returned: "check(blob)",
    says: ["branch lib.js:3:7 condition is false", "read blob.signature: null"],
  },
  "a policy in TypeScript": {
    policy: {
      "policy.ts":
        'import { deny } from "countersign";\n\ninterface Named { readonly name: string }\nexport function blob_verify(blob: Named): number {\n  return blob.name === ("x" as string) ? 0 : deny("has another name");\n}\n',
    },
    attachments: "  - { name: a, policy: policy.ts, limits: { timeout: 5s } }\n",
    code: "DENIED_BY_POLICY",
    returned: '("x" as string)',
    says: ["branch policy.ts:5:10 condition is false"],
  },
  "a map": {
    policy:
      'import { deny } from "countersign";\nexport const bpf_map_create = (map) => map.name === "stats" ? deny("no maps") : 0;\n',
    ask: askMap("stats"),
    code: "DENIED_BY_POLICY",
    returned: "no maps",
    says: ['read map.name: "stats"'],
  },
  "a digest that is not listed": {
    policy: blob('const digest = hash("sha256", blob.data);\n  return digest.startsWith("ff") ? 0 : deny(digest);'),
    code: "DENIED_BY_POLICY",
    returned: "return digest.startsWith",
    says: ['hash("sha256", blob.data) = "', "condition is false"],
  },
  "bytes that are read": {
    policy: blob("return read(blob.data, 0, 2)[0] === 0 ? 0 : deny('has another beginning');"),
    code: "DENIED_BY_POLICY",
    returned: "has another beginning",
    says: ["read(blob.data, 0, 2) = [102,105]"],
  },
  annotations: {
    policy: blob("return current.container.annotations.team === 'sec' ? 0 : deny('is of another team');"),
    current: container({}),
    code: "DENIED_BY_POLICY",
    returned: "is of another team",
    says: ['read current.container.annotations.team: "net"'],
  },
};

/** Denials that change no verdict. */
const AUDIT_KINDS: Readonly<Record<string, Kind>> = {
  "an attachment in audit": {
    policy: { "first.js": blob("return 0;"), "second.js": blob("return deny('would not pass');") },
    attachments:
      "  - { name: first, policy: first.js, limits: { timeout: 5s } }\n" +
      "  - { name: second, mode: audit, policy: second.js, limits: { timeout: 5s } }\n",
    code: "DENIED_BY_POLICY",
    returned: "would not pass",
    says: ["denied in audit alone", "Why: in audit: second: would not pass", "second (audit, second.js) was asked"],
  },
  "a default in audit": {
    policy: blob("return 0;"),
    attachments: "  - { name: a, policy: policy.js, scope: { comm: [tc] } }\n",
    config: "default: { blob_verify: audit }\n",
    code: "DENIED_BY_DEFAULT",
    returned: null,
    says: ["comm bpftool does not match tc", "default of blob_verify is audit"],
  },
};

const LOST = new Map<string, ReturnType<typeof stranger.issue>>();

function example(name: string): Buffer {
  return readFileSync(own(`examples/${name}.o`));
}

function expectCause(explanation: Explanation, returned: string | null, says: readonly string[]): void {
  const text = explainText(explanation);
  for (const part of says) expect(text).toContain(part);
  const places = explanation.attachments.flatMap((one) => one.returned?.source ?? []);
  if (returned === null) expect(places).toEqual([]);
  else expect(places.at(-1)).toContain(returned);
  const { executed } = explanation;
  expect(executed.limits).toEqual([]);
  expect([executed.result, executed.because]).toEqual([
    explanation.denied_by?.code === "DENIED_BY_GATE" ? "unasked" : "same",
    "",
  ]);
}

describe("an explanation of a denial by", () => {
  it("has at least twenty kinds", () => {
    expect(Object.keys({ ...KINDS, ...AUDIT_KINDS }).length).toBeGreaterThanOrEqual(20);
  });

  it.each(Object.entries(KINDS))("%s names the cause", async (_, { code, returned, says, ...denied }) => {
    const explanation = await explainedDenial(denied);
    expect(explanation.outcome).toBe("denied");
    expect(explanation.denied_by?.code).toBe(code);
    expectCause(explanation, returned, says);
  });

  it.each(Object.entries(AUDIT_KINDS))("%s names the cause", async (_, { code, returned, says, ...denied }) => {
    const explanation = await explainedDenial(denied);
    expect(explanation.outcome).toBe("audit denial");
    expect(explanation.audit_denials.map((denial) => denial.code)).toEqual([code]);
    expectCause(explanation, returned, says);
  });
});
