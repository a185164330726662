// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the strings are policies with templates
import { describe, expect, it } from "vitest";
import { seedOf } from "../../../support/damage.js";
import { comparisonFlaw, comparisonOf, type Files } from "../../../support/prove-compare.js";
import { oneAttachment } from "../../../support/prove-property.js";

const seed = seedOf();
const INPUTS = Number(process.env.INPUTS ?? (process.env.COUNTERSIGN_NIGHTLY === "1" ? 20_000 : 25));

const policy = (body: string, more = "") =>
  oneAttachment(
    `import { deny, map_lookup, signer_of, verify_program } from "countersign";
export function bpf_prog_load(prog, current) { ${body} }`,
    more,
  );
const LIMIT = "return prog.insn_cnt > 100 ? deny('large') : 0;";

/** Two policies, and the kinds of differences; null if it is not decided. */
const PAIRS: readonly (readonly [name: string, old: Files, its: Files, kinds: readonly string[] | null])[] = [
  ["written in another way", policy(LIMIT), policy("if (100 < prog.insn_cnt) return deny('big'); return 0;"), []],
  ["a larger number", policy(LIMIT), policy("return prog.insn_cnt > 101 ? -1 : 0;"), ["allowed"]],
  ["a smaller number", policy(LIMIT), policy("return prog.insn_cnt >= 100 ? -1 : 0;"), ["denied"]],
  ["another errno", policy(LIMIT), policy("return prog.insn_cnt > 100 ? -13 : 0;"), ["errno"]],
  [
    "what is reversed",
    policy(LIMIT),
    policy("return prog.insn_cnt <= 100 ? deny('small') : 0;"),
    ["allowed", "denied"],
  ],
  [
    "the order of two conditions",
    policy("if (prog.effects.redirects) return -1; return current.uid === 0 ? 0 : -1;"),
    policy("if (current.uid !== 0) return -1; return prog.effects.redirects ? -1 : 0;"),
    [],
  ],
  [
    "what facts have in common",
    policy("return prog.effects.read_only ? 0 : -1;"),
    policy("return prog.effects.read_only && !prog.effects.redirects ? 0 : -1;"),
    [],
  ],
  [
    "a verification instead of a comparison with it",
    policy("return verify_program(prog, 'platform');"),
    policy("const is = verify_program(prog, 'platform'); return is === 0 ? 0 : is;"),
    [],
  ],
  [
    "one errno for each failure of a verification",
    policy("return verify_program(prog, 'platform');"),
    policy("return verify_program(prog, 'platform') === 0 ? 0 : -1;"),
    ["errno"],
  ],
  [
    "a fault",
    policy("return current.container?.labels?.tier === 'edge' ? 0 : -1;"),
    policy("return current.container.labels.tier === 'edge' ? 0 : -1;"),
    [],
  ],
  [
    "a list that is searched in another way",
    policy("return prog.maps.some((map) => map.key_size > 4) ? -1 : 0;"),
    policy("for (const { key_size: size } of prog.maps) if (!(size <= 4)) return -1; return 0;"),
    [],
  ],
  [
    "the default",
    policy(LIMIT, "default: { bpf_prog_load: deny }"),
    policy(LIMIT.replace("100", "200"), "default: { bpf_prog_load: deny }"),
    ["allowed"],
  ],
  ["a dry run that gets real", policy(LIMIT, "mode: audit"), policy(LIMIT), ["denied"]],
  ["a dry run in place of a real one", policy(LIMIT), policy(LIMIT, "mode: audit"), ["allowed"]],
  ["two dry runs", policy(LIMIT, "mode: audit"), policy("return 0;", "mode: audit"), ["allowed"]],
  [
    "what is not decided",
    policy("return prog.name.padEnd(9) < 'b' ? 0 : -1;"),
    policy("return prog.name.padEnd(9) < 'c' ? 0 : -1;"),
    null,
  ],
];

describe(`two configurations (seed ${seed})`, () => {
  it.each(PAIRS)("that differ in %s", (_, old, its, kinds) => {
    const { answer, differences, doubts } = comparisonOf(old, its);
    expect(differences.map(({ kind }) => kind)).toEqual(kinds ?? []);
    expect(answer).toBe(kinds === null ? "not decided" : kinds.length === 0 ? "equal" : "differs");
    expect(doubts.length > 0).toBe(kinds === null);
    expect(doubts.filter(({ contradicted }) => contradicted)).toEqual([]);
  });

  it.each(PAIRS)("that differ in %s have one path for each input, with the engine's decisions", (_, old, its) => {
    expect(comparisonFlaw(old, its, seed, INPUTS)).toBeNull();
  });

  it("are shown by an example that the engine decided by both, with the line of the denial", () => {
    const { differences } = comparisonOf(policy(LIMIT), policy("return prog.insn_cnt > 101 ? -1 : 0;"));
    expect(differences).toMatchObject([
      {
        values: { "prog.insn_cnt": 101 },
        old: { enforced_verdict: "-EPERM", attachment: "policy", place: expect.stringMatching(/policy\.js:2$/) },
        new: { enforced_verdict: "0", attachment: null, reason: null },
      },
    ]);
  });

  it("differ in reasons only if these are compared", { tags: ["deep"] }, () => {
    const [old, its] = [policy(LIMIT), policy(LIMIT.replace("large", "big"))];
    expect(comparisonOf(old, its).answer).toBe("equal");
    const { answer, differences } = comparisonOf(old, its, { comparesReasons: true });
    expect([answer, differences.map(({ kind }) => kind)]).toEqual(["differs", ["reason"]]);
    expect(comparisonOf(old, policy(`${LIMIT} `), { comparesReasons: true }).answer).toBe("equal");
  });

  it("differ in a reason that is put together, and are not decided if an example has the same one", {
    tags: ["deep"],
  }, () => {
    const old = policy("return deny(`program ${prog.name}`);");
    const other = comparisonOf(old, policy("return deny(`the program ${prog.name}`);"), { comparesReasons: true });
    expect(other.differences.map(({ kind }) => kind)).toEqual(["reason"]);
    const same = comparisonOf(old, policy("return deny('program ' + prog.name + '');"), { comparesReasons: true });
    expect(["equal", "not decided"]).toContain(same.answer);
  });

  it("do not share the variables of a policy that both have, as two attachments do not", () => {
    const text = "let asked = 0;\nexport const bpf_prog_load = () => { asked += 1; return asked > 1 ? -1 : 0; };\n";
    const yaml = (attachments: string) => `version: 1\nattachments: [${attachments}]\n`;
    const [once, twice] = ["{ policy: policy.js }", "{ policy: policy.js, name: a }, { policy: policy.js, name: b }"];
    const files = (attachments: string) => ({ "policy.js": text, "countersign.yaml": yaml(attachments) });
    expect(comparisonOf(files(once), files(twice)).answer).toBe("equal");
  });

  it("are equal if the same policies are asked in the same way, even if these are not decided", () => {
    const files = policy("return prog.name < 'b' ? 0 : -1;");
    expect(comparisonOf(files, files)).toMatchObject({ answer: "equal", paths: 0, doubts: [] });
  });

  it("are not decided if a limit is reached", { tags: ["deep"] }, () => {
    const letters = [..."abcdefghijklmnopqrstuvwxyz"].map((one) => `(prog.name.includes("${one}") ? 1 : 0)`);
    const many = policy(`return ${letters.join(" + ")} > 13 ? -1 : 0;`);
    const { answer, doubts } = comparisonOf(many, policy(`return 0 + ${letters.join(" + ")} > 13 ? -1 : 0;`), {
      paths: 20,
    });
    expect([answer, doubts[0]?.why]).toEqual([
      "not decided",
      "the exploration is not complete: there are more paths than 20",
    ]);
  });

  it("can name keyrings and maps that the other one does not have", () => {
    const old = policy("return verify_program(prog, 'platform');");
    const yaml = old["countersign.yaml"]!.replace("platform", "network");
    const its = { ...policy("return verify_program(prog, 'network');"), "countersign.yaml": yaml };
    const { differences } = comparisonOf(old, its);
    expect(differences.map(({ kind }) => kind)).toEqual(["allowed", "denied", "errno"]);
  });
});

describe("state in the properties of a function", () => {
  it.each([
    "own.n = (own.n ?? 0) + 1; return own.n > 1 ? -1 : 0;",
    "const had = Object.keys(own).length; Object.assign(own, { n: 1 }); return had > 0 ? -1 : 0;",
    'const had = Object.hasOwn(own, "n"); own["n"] = 1; return had ? -1 : 0;',
    'const had = "n" in own; Object.defineProperty(own, "n", { value: 1 }); return had ? -1 : 0;',
    "const was = Object.isFrozen(own); Object.freeze(own); return was ? -1 : 0;",
  ])("is not decided, so that it is not shared by two attachments: %s", (body) => {
    const files = policy(body);
    const twice = files["countersign.yaml"]!.replace(
      /\{ policy: ([a-z.]+) \}/,
      "{ name: a, policy: $1 }, { name: b, policy: $1 }",
    );
    const text = `function own() { return 0; }\n${files["policy.js"]}`;
    const old = { ...files, "policy.js": text };
    expect(comparisonOf(old, { ...old, "countersign.yaml": twice }).answer).toBe("not decided");
  });
});
