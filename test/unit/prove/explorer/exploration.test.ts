import { describe, expect, it, vi } from "vitest";
import { PathRuns } from "../../../../src/prove/explorer/path-runs.js";
import { QUERIES } from "../../../../src/prove/solver/solver.js";
import { numbers, seedOf } from "../../../support/damage.js";
import { ExploredPolicy, randomInput } from "../../../support/prove.js";

const seed = seedOf();

/** Policies at each hook, whose answers are all decided. */
const POLICIES: readonly (readonly [name: string, text: string])[] = [
  [
    "the memory of a map, which can be larger than 2^53",
    `export const bpf_map_create = (map) =>
      map.memory > 9007199254740991 ? deny(\`\${map.name} takes \${map.memory} bytes\`) : map.memory_per_cpu === 0 ? 0 : -12;`,
  ],
  [
    "the access of a map, and whether it has contents",
    "export const bpf_map = ({ access, contents, type }) => access === 'rw' && (contents ?? type) === 'hash' ? -1 : 0;",
  ],
  [
    "what a command attaches",
    `export const bpf = (command, current) => {
      if (command.attach?.target.kind !== "cgroup") return command.run === null ? 0 : deny("runs a program");
      return command.attach.target.path?.startsWith(current.cgroup === null ? "/" : "/a") ? 0 : -command.attach.flags;
    };`,
  ],
  [
    "a token",
    "export const bpf_token_create = (token, current) => current.uid === 0 ? 0 : deny(token.name, current.gid);",
  ],
  [
    "a module, and its signature",
    `export const kernel_read_file = (file) => file.parameters !== null && file.parameters.includes("debug")
      ? deny("parameters", 22) : verify_signature(file.data, file.signature, "platform", MODSIG);`,
  ],
  ["an executable", "export const bprm_check_security = (file) => hash('sha512', file.data) === file.path ? 0 : -1;"],
  [
    "who signed a blob",
    `export const blob_verify = (blob) =>
      signer_of(blob.data, blob.signature, "network", PKCS7)?.subject === "CN=Release" ? 0 : deny("not by Release");`,
  ],
  [
    "a loaded program, and its statement",
    `export const bpf_prog = (prog) => {
      if (prog.loaded !== null && prog.loaded.verified_insns > 2 * 500 && prog.insn_cnt < prog.loaded.xlated_size) return -7;
      return statement_of(prog, "platform")?.name === prog.name ? 0 : deny(\`\${signer_of(prog, "network")?.issuer}\`);
    };`,
  ],
];

describe(`exploring (seed ${seed})`, () => {
  it.each(POLICIES)("decides %s", (_, text) => {
    const names = "deny, hash, signer_of, statement_of, verify_signature, MODSIG, PKCS7";
    const policy = ExploredPolicy.of(`import { ${names} } from "countersign";\n${text}`);
    const [hook] = policy.hooks;
    const exploration = policy.explore(hook!);
    expect(exploration.unfinished).toBeNull();
    expect(exploration.paths.length).toBeGreaterThan(1);
    for (const { path, status, ...rest } of policy.confirmations(exploration))
      expect([status, status === "confirmed" ? null : rest, path.end.kind === "not decided" && path]).toEqual([
        "confirmed",
        null,
        false,
      ]);
    const next = numbers(seed);
    for (let round = 0; round < 100; round++)
      expect(policy.flaw(exploration, randomInput(exploration, next))).toBeNull();
    policy.close();
  });

  it("has a policy of several files, and names the file of each line", () => {
    const policy = new ExploredPolicy(
      "policy.js",
      new Map([
        [
          "policy.js",
          'import { isLarge as large } from "./lib/size.js";\nexport const bpf_prog_load = (p) =>\n  large(p) ? -1 : 0;',
        ],
        [
          "lib/size.js",
          "export function isLarge({ insn_cnt }) {\n  if (insn_cnt > 9) throw 1;\n  return insn_cnt > 5;\n}",
        ],
      ]),
    );
    const exploration = policy.explore("bpf_prog_load");
    expect(exploration.paths.map(({ end, place }) => [end.kind, place])).toEqual([
      ["fault", "lib/size.js:2"],
      ["verdict", "policy.js:3"],
      ["verdict", "policy.js:3"],
    ]);
    for (const { status } of policy.confirmations(exploration)) expect(status).toBe("confirmed");
    policy.close();
  });

  it("ends when there are more paths than it may explore", () => {
    const policy = ExploredPolicy.of(
      `export const bpf_prog_load = (prog) => [${Array.from({ length: 40 }, (_, index) => `prog.name.includes("${index}x")`)}].length`,
    );
    const { paths, unfinished } = policy.explore("bpf_prog_load", 10);
    expect(paths).toHaveLength(10);
    expect(unfinished).toEqual({ limit: "paths", words: "there are more paths than 10" });
    policy.close();
  });
});

/** Of shipped policies: the paths at all hooks, the runs of the policy, and the questions to the solver. */
const WORK: readonly (readonly [policy: string, paths: number, runs: number, queries: number])[] = [
  ["allow-unsigned-tc.js", 4, 4, 6],
  ["container-lockdown.js", 10, 10, 38],
  ["debug-read-only.js", 6, 6, 11],
  ["hash-allow-list.js", 22, 39, 94],
  ["no-kernel-read.js", 2, 2, 2],
  ["no-packet-redirect.js", 2, 2, 2],
  ["observe.js", 2, 2, 4],
  ["optional-signature.js", 39, 39, 138],
  ["program-budget.ts", 67, 70, 133],
  ["verify-all.js", 2, 2, 6],
  ["verify-blobs.js", 54, 54, 176],
];

describe("the work of exploring a shipped policy is what it was", () => {
  it.each(WORK)("%s: %i paths, %i runs, %i questions", (name, paths, runs, queries) => {
    const next = vi.spyOn(PathRuns.prototype, "next");
    let asked = 0;
    const count = () => {
      asked += 1;
    };
    QUERIES.subscribe(count);
    const policy = ExploredPolicy.shipped(name);
    try {
      const found = policy.hooks.map((hook) => policy.explore(hook).paths.length);
      expect([found.reduce((sum, one) => sum + one, 0), next.mock.calls.length, asked]).toEqual([paths, runs, queries]);
    } finally {
      QUERIES.unsubscribe(count);
      next.mockRestore();
      policy.close();
    }
  });
});

describe("what is not decided at the top of a file", () => {
  const HOOK = "export const bpf_prog_load = (prog) => (prog.insn_cnt > 5 ? -1 : 0);\n";

  it.each([
    ["a class", "class Budget { take() { return 1; } }\n", "ClassDeclaration"],
    ["a class expression", "const Budget = class { take() { return 1; } };\n", "ClassExpression"],
    ["a Symbol", 'const mark = Symbol("x");\n', "`Symbol`"],
    ["a regular expression with state", "const word = /a/g;\n", "this regular expression"],
    ["a generator", "const list = [...(function* () { yield 1; })()];\n", "a generator"],
    ["a method that is not known", 'const parts = "a-b".localeCompare("b");\n', "`localeCompare`"],
    ["in a function that is called there", 'const all = (() => Symbol("x"))();\n', "`Symbol`"],
  ])("is named with its line: %s", (_, text, construct) => {
    const { paths } = ExploredPolicy.of(`// A policy\n${text}${HOOK}`).explore("bpf_prog_load");
    expect(paths.map(({ end, place }) => [end.kind === "not decided" && end.why, place])).toEqual([
      [expect.stringContaining(construct), "policy.js:2"],
    ]);
  });

  it("is named as what the file throws", () => {
    const { paths } = ExploredPolicy.of(`const first = [].at(0).x;\n${HOOK}`).explore("bpf_prog_load");
    const why = expect.stringMatching(/^a limit of the exploration: .*TypeError/);
    expect(paths).toMatchObject([{ conditions: [], end: { kind: "not decided", why } }]);
  });
});
