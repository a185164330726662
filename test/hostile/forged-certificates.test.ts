// @module-tag deep
import { afterAll, describe, expect, it } from "vitest";
import { CheckedPolicies } from "../../src/prove/check/checked-policies.js";
import { digestsOf } from "../../src/prove/check/digests.js";
import { attachmentAt } from "../../src/prove/check/examined.js";
import type { Branch, Leaf, TableCertificate } from "../../src/prove/shared/certificate.js";
import { CertifiedFolder } from "../support/certificates.js";

const CASES = `import { deny } from "countersign";
const NETWORK = new Set(["xdp", "sched_cls"]);
function verdictOf(type, uid) {
  let lost = 0;
  switch (type) {
    case "lsm":
      return deny("no LSM programs");
    default:
      lost = 1;
    case "kprobe":
      if (uid === 0) break;
      return -13 - lost;
    case "tracing": {
      const lost = 7;
      return -lost;
    }
  }
  return NETWORK.has(type) ? -22 : -lost;
}
export const bpf_prog_load = ({ type }, { uid }) => verdictOf(type, uid);
`;

const LISTS = `import { deny } from "countersign";
const PROBES = new Set(["bpf_probe_read", "bpf_probe_write_user"]);
export const bpf_prog_load = ({ maps, helpers, name, effects }, { capabilities }) => {
  if (!capabilities.includes("CAP_BPF")) return deny("no capability");
  if (helpers.some((one) => PROBES.has(one) || one.startsWith("bpf_sys"))) return deny("probes");
  if (!maps.every(({ type, key_size }) => type === "hash" && key_size <= 8)) return -13;
  return helpers.includes(name) || effects.read_only ? -22 : 0;
};
`;

const LOOPS = `import { deny } from "countersign";
export const bpf_prog_load = ({ maps }) => {
  let rings = 0;
  for (const { type } of maps) {
    if (type === "arena") return deny("no arenas");
    if (type === "ringbuf") rings++;
  }
  return rings > 1 ? -13 : 0;
};
`;

const SUMS = `import { deny } from "countersign";
export const bpf_prog_load = ({ maps }) => {
  let bytes = 0;
  for (const { memory } of maps) bytes += memory;
  return bytes > 1 << 20 ? deny(\`\${bytes} bytes\`) : 0;
};
`;

const FOUND = `export const bpf_prog_load = ({ maps }) => {
  let isLarge = false;
  for (const { max_entries } of maps) if (max_entries > 9) isLarge = true;
  if (isLarge) return -7;
  return maps.find(({ type }) => type === "hash")?.key_size > 4 ? -8 : 0;
};
`;

const TEXTS = `const LIMITS = { "/usr/sbin/tc": 8 };
export const bpf_prog_load = ({ name, insn_cnt }, { exe, comm }) => {
  if (insn_cnt * 3 > (LIMITS[exe] ?? 4)) return -6;
  return name.toLowerCase() === "prod" || comm.split("/").pop() === "tc" ? -22 : 0;
};
`;

const MAPS = `import { deny, map_lookup, map_update } from "countersign";
export const bpf_prog_load = ({ type }) => {
  const its = map_lookup("container_policy", "types");
  const n = map_lookup("program_budget", "n") ?? 0;
  try {
    if (its.includes(type)) return deny("a type of the map");
  } catch {
    return -3;
  }
  if (n >= 10) return -4;
  return map_update("program_budget", "n", n + 1) === 0 ? 0 : -5;
};
`;

/** Policies, and other texts of each, for which its decision table is wrong. */
const POLICIES: readonly (readonly [policy: string, others: Readonly<Record<string, readonly [string, string]>>])[] = [
  [
    CASES,
    {
      "a set with another value": ['"sched_cls"]', '"sched_act"]'],
      "a set with one value more": ['"sched_cls"]', '"sched_cls", "sk_skb"]'],
      "a set with one value less": [', "sched_cls"]', "]"],
      "another case": ['case "kprobe"', 'case "kprobes"'],
      "one case less": ['case "kprobe":', ""],
      "two cases that are exchanged": ['case "lsm":', 'case "tracing":'],
      "one case more": ['case "lsm":', 'case "lsm": case "netfilter":'],
      "a default that ends the switch": ["lost = 1;", "lost = 1; break;"],
      "a case that goes on": ["if (uid === 0) break;", "if (uid === 0);"],
      "a switch over another value": ["switch (type)", 'switch (uid === 0 ? "lsm" : type)'],
    },
  ],
  [
    LISTS,
    {
      "another element of a list": ['"CAP_BPF"', '"CAP_PERFMON"'],
      "another list": ["helpers.some(", "capabilities.some("],
      "some for every": ["maps.every(", "maps.some("],
      "every for some": ["helpers.some(", "helpers.every("],
      "a condition on an element less": ["PROBES.has(one) || ", ""],
      "another condition on an element": ['startsWith("bpf_sys")', 'endsWith("bpf_sys")'],
      "another bound of an element": ["key_size <= 8", "key_size <= 9"],
      "conditions on an element of which one is enough": ['"hash" &&', '"hash" ||'],
      "conditions on two elements in place of one": [
        'maps.every(({ type, key_size }) => type === "hash" && key_size <= 8)',
        '(maps.some(({ type }) => type !== "hash") && maps.some(({ key_size }) => key_size > 8))',
      ],
      "a list that must not be empty": ["helpers.includes(name)", "helpers.some(() => true)"],
    },
  ],
  [
    LOOPS,
    {
      "another element that leaves a loop": ['"arena"', '"bloom_filter"'],
      "a loop that goes on": ['return deny("no arenas");', "continue;"],
      "elements that are counted twice": ["rings++", "rings += 2"],
      "a count that begins with 1": ["rings = 0", "rings = 1"],
      "a count of other elements": ['"ringbuf"', '"hash"'],
      "another bound of a count": ["rings > 1", "rings > 2"],
    },
  ],
  [
    SUMS,
    {
      "a sum that begins with 1": ["bytes = 0", "bytes = 1"],
      "a sum of other facts": ["{ memory }", "{ max_entries: memory }"],
      "a sum of products": ["bytes += memory", "bytes += memory * 2"],
      "another bound": ["1 << 20", "1 << 21"],
      "another reason": ["{bytes} bytes", "{bytes + 1} bytes"],
    },
  ],
  [
    FOUND,
    {
      "another constant": ["isLarge = true", "isLarge = null"],
      "another case of a constant": ["max_entries > 9", "max_entries > 8"],
      "a flag that is set at first": ["isLarge = false", "isLarge = true"],
      "another element that is found": ['=> type === "hash"', '=> type !== "hash"'],
      "another fact of what is found": ["?.key_size", "?.value_size"],
    },
  ],
  [
    TEXTS,
    {
      "another product": ["insn_cnt * 3", "insn_cnt * 4"],
      "another entry of an object": [": 8 }", ": 9 }"],
      "another default": ["?? 4", "?? 5"],
      "another part of a text": [".pop()", ".at(0)"],
      "a part after another character": ['split("/")', 'split(".")'],
      "other letters": ["toLowerCase()", "toUpperCase()"],
    },
  ],
  [
    MAPS,
    {
      "another text in a value": ["includes(type)", 'includes("xdp")'],
      "another method of a value": ["its.includes", "its.startsWith"],
      "an error that is not caught": ["return -3;", "return -2;"],
      "another comparison with a value": ["n >= 10", "n > 10"],
      "another constant beside a value": ["n >= 10", "n >= 11"],
      "another default of a value": ['"n") ?? 0', '"n") ?? 11'],
      "a write that comes first": ["  if (n >= 10)", '  map_update("program_budget", "m", 1);\n  if (n >= 10)'],
      "another verdict of a write": ["=== 0 ? 0 : -5", "=== -28 ? 0 : -5"],
    },
  ],
];

const folderOf = (text: string) => new CertifiedFolder("policy.js", text);

/** A certificate with its tree as one of another policy. */
function forgedFor(other: CertifiedFolder, certificate: TableCertificate): string {
  const policies = new CheckedPolicies(other.config, {});
  const { stated } = attachmentAt("bpf_prog_load", policies, policies.placed[0]!);
  policies.close();
  const tables = [{ ...stated, tree: certificate.tables[0]!.tree }];
  return JSON.stringify({ ...certificate, digests: digestsOf(other.config.file), tables });
}

const ANY_WRONG = expect.stringMatching(/^PROOF_(?:TREE|ANSWER|WITNESS|REFUTATION)_WRONG$/);

describe.each(POLICIES)("the certificate of a policy: %#", (policy, others) => {
  const folder = folderOf(policy);
  const certificate = folder.make();
  afterAll(() => folder.remove());

  it("passes the checker", () => expect(folder.check(JSON.stringify(certificate))).toHaveLength(2));

  it.each(Object.entries(others))(
    "is rejected for one with %s, also if it says that it is about this policy",
    (_, [from, to]) => {
      expect(policy.split(from)).toHaveLength(2);
      const other = folderOf(policy.replace(from, to));
      expect(() => other.check(JSON.stringify(certificate))).toThrow(
        expect.objectContaining({ code: "PROOF_OUTDATED" }),
      );
      const forged = forgedFor(other, certificate);
      expect(() => other.check(forged)).toThrow(expect.objectContaining({ code: ANY_WRONG }));
      other.remove();
    },
  );
});

/** A policy whose two ends are the same, so that only the conditions say which witness belongs to which. */
const SAME = "export const bpf_prog_load = ({ maps }) => (maps.some(({ type }) => type === 'lru_hash') ? -1 : -1);\n";

type Damage = (branch: Branch & { if: Some; yes: Leaf; no: Leaf }) => unknown;
type Some = { of: string; where: { atom: object; is: boolean }[][]; first: string | null };
const elements = ({ witness }: Leaf) => (witness.subject as { maps: unknown[] }).maps;

const DAMAGES: Readonly<Record<string, readonly [code: string, damage: Damage]>> = {
  "no case": ["PROOF_TREE_WRONG", (branch) => (branch.if.where = [])],
  "one case more": ["PROOF_TREE_WRONG", (branch) => branch.if.where.push([])],
  "a case without its condition": ["PROOF_TREE_WRONG", (branch) => branch.if.where[0]!.pop()],
  "a condition that is negated": ["PROOF_TREE_WRONG", (branch) => (branch.if.where[0]![0]!.is = false)],
  "another list": ["PROOF_TREE_WRONG", (branch) => (branch.if.of = "prog.helpers")],
  "a name of the first element": ["PROOF_TREE_WRONG", (branch) => (branch.if.first = "prog.maps[first]")],
  "a witness without the element": ["PROOF_WITNESS_WRONG", ({ yes }) => elements(yes).splice(0)],
  "a witness with the element where none must be": [
    "PROOF_WITNESS_WRONG",
    ({ yes, no }) => elements(no).push(...elements(yes)),
  ],
  "a witness with an element that cannot be": [
    "PROOF_WITNESS_WRONG",
    ({ yes }) => elements(yes).push({ type: "lru_hash" }),
  ],
  "an element that no list has": [
    "PROOF_REFUTATION_WRONG",
    (branch) => Object.assign(branch, { yes: { refuted: { clash: [0, 0] } } }),
  ],
};

describe("a damaged certificate about the elements of a list", () => {
  const folder = folderOf(SAME);
  const json = JSON.stringify(folder.make());
  afterAll(() => folder.remove());

  it.each(Object.entries(DAMAGES))("%s: rejected", (_, [code, damage]) => {
    expect(folder.check(json)).toHaveLength(2);
    const damaged = JSON.parse(json);
    damage(damaged.tables[0].tree);
    expect(() => folder.check(JSON.stringify(damaged))).toThrow(expect.objectContaining({ code }));
  });
});

/** The refutations of a tree that the checker verifies by the conditions on an element. */
function refutationsIn(tree: object): { refuted: object }[] {
  return Object.values(tree).flatMap((one) => {
    if (typeof one !== "object" || one === null) return [];
    return "refuted" in one && "element" in one.refuted ? [one] : refutationsIn(one);
  });
}

describe("a side that is left out of a certificate about the first element of a list", () => {
  const folder = folderOf(LOOPS);
  const json = JSON.stringify(folder.make());
  afterAll(() => folder.remove());

  it.each([
    ["another condition", { element: 1 }],
    ["a condition that there is not", { element: 99 }],
    ["an element of a list that has none", { none: [0, 0] }],
    ["conditions that there are not", { none: [7, 8] }],
    ["a contradiction of one condition with itself", { clash: [0, 0] }],
    ["no conditions", { farkas: [] }],
  ])("is refuted by %s: rejected", (_, refuted) => {
    const damaged = JSON.parse(json);
    const [first] = refutationsIn(damaged.tables[0].tree);
    expect(first).toEqual({ refuted: { element: 0 } });
    first!.refuted = refuted;
    const wrong = expect.objectContaining({ code: "PROOF_REFUTATION_WRONG" });
    expect(() => folder.check(JSON.stringify(damaged))).toThrow(wrong);
  });

  it("is a side that inputs take: rejected", () => {
    const damaged = JSON.parse(json);
    damaged.tables[0].tree.no = { refuted: { element: 0 } };
    const wrong = expect.objectContaining({ code: "PROOF_REFUTATION_WRONG" });
    expect(() => folder.check(JSON.stringify(damaged))).toThrow(wrong);
  });
});
