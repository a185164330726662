import { describe, expect, it } from "vitest";
import { seedOf } from "../../../support/damage.js";
import { comparisonFlaw, comparisonOf, type Files } from "../../../support/prove-compare.js";
import { KEY } from "../../../support/prove-property.js";

const seed = seedOf();
const INPUTS = Number(process.env.INPUTS ?? (process.env.COUNTERSIGN_NIGHTLY === "1" ? 20_000 : 100));

const POLICIES: Files = {
  "small.js": "export const bpf_prog_load = (prog) => (prog.insn_cnt > 100 ? -7 : 0);\n",
  "signed.js":
    'import { verify_program } from "countersign";\nexport const bpf_prog_load = (prog) => verify_program(prog, "platform");\n',
  "tier.js": "export const bpf_prog_load = (prog, { container }) => (container.labels.tier === prog.type ? -7 : 0);\n",
  "unclear.js": 'export const bpf_prog_load = (prog) => (prog.name.padEnd(9) < "b" ? -1 : 0);\n',
};
const [SMALL, SIGNED, TIER] = ["{ policy: small.js }", "{ policy: signed.js }", "{ policy: tier.js }"];
const UNCLEAR = "{ policy: unclear.js }";
const files = (attachments: readonly string[], more = "", own: Files = {}): Files => ({
  ...POLICIES,
  ...own,
  "key.pem": KEY,
  "countersign.yaml": `version: 1\nkeyrings: { platform: { trust: [key.pem] } }\nattachments: [${attachments.join(", ")}]\n${more}\n`,
});
const DENY = "default: { bpf_prog_load: deny }";

/** Two configurations, and the kinds of differences; null if it is not decided. */
const PAIRS: readonly (readonly [name: string, old: Files, its: Files, kinds: readonly string[] | null])[] = [
  ["the order, which changes errnos", files([SMALL, SIGNED]), files([SIGNED, SMALL]), ["errno"]],
  ["one less", files([SMALL, SIGNED]), files([SMALL]), ["allowed"]],
  ["one in audit", files([SMALL, SIGNED]), files(["{ policy: small.js, mode: audit }", SIGNED]), ["allowed", "errno"]],
  ["one in audit that is not asked", files([SIGNED]), files(["{ policy: small.js, mode: audit }", SIGNED]), []],
  ["one twice", files([SMALL, SIGNED]), files([SMALL, SIGNED, "{ policy: small.js, name: again }"]), []],
  [
    "a scope",
    files(["{ policy: small.js, scope: { uid: [0-9] } }", SIGNED]),
    files(["{ policy: small.js, scope: { uid: [0-8, 10] } }", SIGNED]),
    ["allowed", "denied", "errno"],
  ],
  [
    "a scope in other words",
    files(["{ policy: small.js, scope: { uid: [0-9] } }", SIGNED]),
    files(["{ policy: small.js, scope: { uid: [0-4, 5-9] } }", SIGNED]),
    [],
  ],
  [
    "a scope in other words, beside what is not decided",
    files(["{ policy: small.js, scope: { uid: [0-9] } }", UNCLEAR]),
    files(["{ policy: small.js, scope: { uid: [0-4, 5-9] } }", UNCLEAR]),
    [],
  ],
  ["what is not decided", files([SMALL, UNCLEAR]), files([SMALL]), null],
  [
    "what a fault does",
    files([TIER, SIGNED]),
    files(["{ policy: tier.js, on_fault: allow }", SIGNED]),
    ["allowed", "errno"],
  ],
  [
    "a fault that is no answer, with a default",
    files(["{ policy: tier.js, on_fault: allow }"], DENY),
    files(["{ policy: tier.js, on_fault: allow }", "{ policy: small.js, scope: { uid: [0] } }"], DENY),
    ["allowed", "denied", "errno"],
  ],
  [
    "the default",
    files(["{ policy: small.js, scope: { uid: [0] } }"]),
    files(["{ policy: small.js, scope: { uid: [0] } }"], DENY),
    ["denied"],
  ],
  ["the default, which no decision reaches", files([SMALL]), files([SMALL], DENY), []],
  ["a dry run", files([SMALL, SIGNED]), files([SMALL, SIGNED], "mode: audit"), ["allowed"]],
  [
    "the text of a policy",
    files([SMALL, SIGNED, TIER]),
    files([SMALL, SIGNED, TIER], "", { "small.js": POLICIES["small.js"]!.replace("100", "99") }),
    ["denied", "errno"],
  ],
];

describe(`two configurations with several attachments (seed ${seed})`, () => {
  it.each(PAIRS)("that differ in %s", (_, old, its, kinds) => {
    const { answer, differences, doubts } = comparisonOf(old, its);
    expect(doubts.filter(({ contradicted }) => contradicted)).toEqual([]);
    expect([answer, differences.map(({ kind }) => kind)]).toEqual([
      kinds === null ? "not decided" : kinds.length === 0 ? "equal" : "differs",
      kinds ?? [],
    ]);
  });

  it.each(PAIRS)(
    "that differ in %s have one path for each input, with the engine's decisions",
    { tags: ["deep"] },
    (_, old, its) => {
      expect(comparisonFlaw(old, its, seed, INPUTS)).toBeNull();
    },
  );

  it("are equal in reasons, too, if only what does not count differs", { tags: ["deep"] }, () => {
    const [old, its] = [files([SMALL, SIGNED]), files(["{ policy: small.js, name: other }", SIGNED])];
    expect(comparisonOf(old, its).answer).toBe("equal");
    expect(comparisonOf(old, its, { comparesReasons: true }).differences.map(({ kind }) => kind)).toEqual(["reason"]);
  });
});
