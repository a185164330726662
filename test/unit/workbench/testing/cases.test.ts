import { describe, expect, it } from "vitest";
import { COMMAND_FIELDS } from "../../../../src/bpf/model/command-fields.js";
import { CMD, COMMAND_NAMES } from "../../../../src/bpf/model/commands.js";
import type { OwnedFields } from "../../../../src/fact-type.js";
import { runCommand } from "../../../support/command-line.js";
import { own, Workplace } from "../../../support/workplace.js";

interface Result {
  readonly got: string;
  readonly passed: boolean;
  readonly unused_answers: readonly string[];
}

/** The results of cases of one policy. */
async function results(policy: string, cases: string): Promise<readonly Result[]> {
  const { out, err } = await tested(policy, cases);
  expect(err).toBe("");
  return JSON.parse(out).cases;
}

const MAPS = "maps: { m: { writable: { entries: 4, bytes: 1KiB } } }";
const place = new Workplace("  - policy: policies/p.js", MAPS);

function tested(policy: string, cases: string) {
  place.write("policies/p.js", policy);
  place.write("policies/p.test.yaml", cases);
  return runCommand("test", "--json", "--no-cache", "--config", place.config);
}

/** A policy that denies with the text of an expression. */
const telling = (expression: string, hook = "bpf_prog_load") =>
  `import { deny, hash, map_lookup, map_update, signer_of, statement_of, verify_program, verify_signature } from "countersign";
  export function ${hook}(it, current) { return deny(JSON.stringify(${expression})); }`;

async function told(expression: string, one: string, hook?: string): Promise<unknown> {
  const [result] = await results(telling(expression, hook), `- { ${one}, expect: deny }`);
  return JSON.parse(/^-EPERM: p: (.*?)(?: \((?!.*\bdeny).*)?$/.exec(result!.got)![1]!);
}

describe("the caller of a case", () => {
  it.each([
    ["uid: 7", "[current.uid, current.euid]", [7, 7]],
    ["uid: 7, euid: 8, gid: 9", "[current.uid, current.euid, current.gid]", [7, 8, 9]],
    [
      "comm: tc, exe: /usr/sbin/tc, cgroup: /a",
      "[current.comm, current.exe, current.cgroup]",
      ["tc", "/usr/sbin/tc", "/a"],
    ],
    ["capabilities: [CAP_BPF]", "current.capabilities", ["CAP_BPF"]],
    ["namespaces: { net: 5 }", "current.namespaces.net", 5],
    ["uid: 0", "current.container", null],
    ["labels: {}", "current.container", null],
    ["labels: { tier: edge }", "current.container.labels", { tier: "edge" }],
    ["labels: null", "current.container.labels", null],
    ["container: { name: web }", "[current.container.name, current.container.labels]", ["web", {}]],
    ["container: { labels: null }", "current.container.labels", null],
    [
      "container: { annotations: { a: b } }, labels: { c: d }",
      "[current.container.annotations, current.container.labels]",
      [{ a: "b" }, { c: "d" }],
    ],
  ])("%s", async (caller, expression, expected) => {
    expect(await told(expression, `program: { type: xdp }, ${caller}`)).toEqual(expected);
  });
});

describe("the subject of a case", () => {
  it.each([
    ["program: { type: xdp, name: f }", "[it.type, it.name, it.license, it.object]", ["xdp", "f", "GPL", null]],
    [
      "program: { type: tracing, expected_attach_type: trace_fentry, attach_to: f }",
      "[it.expected_attach_type, it.attach_to]",
      ["trace_fentry", "f"],
    ],
    [
      "program: { type: xdp, signature: abc }",
      "[it.signature.length, hash('sha256', it.signature).slice(0, 8)]",
      [3, "ba7816bf"],
    ],
    [
      "program: { type: xdp, kernel_signature: { hex: 00ff }, kernel_keyring: platform }",
      "[it.kernel_signature.length, it.kernel_keyring]",
      [2, "platform"],
    ],
    [
      "program: { type: xdp, statements: [{ settings: [{ name: pid, value: 1 }] }] }",
      "[it.statements[0].type, it.statements[0].settings[0].value]",
      ["xdp", 1],
    ],
    [
      "program: { type: xdp, mismatches: [{ property: license, expected: GPL, found: MIT }] }",
      "it.mismatches[0].property",
      "license",
    ],
  ])("%s", async (subject, expression, expected) => {
    expect(await told(expression, subject)).toEqual(expected);
  });

  it("can be a loaded program, a map, or a blob", { tags: ["deep"] }, async () => {
    const loaded = "program: { type: xdp, loaded: { verified_insns: 9 } }, hook: bpf_prog";
    expect(await told("it.loaded.verified_insns", loaded, "bpf_prog")).toBe(9);
    expect(await told("[it.type, it.memory, it.access]", "map: { max_entries: 1024 }", "bpf_map_create")).toEqual([
      "hash",
      81920,
      null,
    ]);
    expect(await told("it.access", "map: { type: array }, hook: bpf_map", "bpf_map")).toBe("rw");
    expect(await told("it.access", "map: { type: array, access: r }, hook: bpf_map", "bpf_map")).toBe("r");
    expect(await told("[it.data.length, it.signature]", "blob: { data: abc }", "blob_verify")).toEqual([3, null]);
  });
});

describe("the command of a case", () => {
  it.each([
    [
      "command: { name: BPF_PROG_LOAD }",
      "[it.cmd, it.size, it.digest.length, it.program, it.path]",
      [5, null, 64, null, null],
    ],
    ["command: { name: BPF_LINK_DETACH, size: 4 }", "[it.cmd, it.size, it.digest.length]", [34, 4, 64]],
    [
      "command: { name: BPF_OBJ_PIN, path: /sys/fs/bpf/x, map: { name: m, type: array } }",
      "[it.path, it.map, it.digest.length, it.attach]",
      ["/sys/fs/bpf/x", { name: "m", type: "array" }, 64, null],
    ],
    [
      "command: { name: BPF_LINK_CREATE, program: { type: xdp }, attach: { type: xdp, target: { kind: interface, ifindex: 3 } } }",
      "[it.program.type, it.program.digest, it.attach.type, it.attach.flags, it.attach.target.ifindex, it.attach.target.path]",
      ["xdp", null, "xdp", 0, 3, null],
    ],
    ["command: { name: BPF_PROG_TEST_RUN, run: { repeat: 9 } }", "[it.run.repeat, it.run.flags]", [9, 0]],
    [`command: { name: BPF_BTF_LOAD, btf: { sha256: ${"ab".repeat(32)} } }`, "it.digest", "ab".repeat(32)],
  ])("%s", async (subject, expression, expected) => {
    expect(await told(expression, subject, "bpf")).toEqual(expected);
  });

  it("can be any command", { tags: ["deep"] }, async () => {
    const cases = COMMAND_NAMES.map(
      (name) => `- { command: { name: ${name} }, expect: deny, reason: '"${name}",${CMD[name]}' }`,
    );
    const answers = await results(telling("[it.name, it.cmd]", "bpf"), cases.join("\n"));
    expect(answers.filter(({ passed }) => !passed)).toEqual([]);
    expect(answers.length).toBe(COMMAND_NAMES.length);
  });

  it("has no fact that such a command, or such a target, has not", { tags: ["deep"] }, async () => {
    const given: Record<string, string> = {
      program: "{ type: xdp }",
      map: "{}",
      attach: "{ target: { kind: netfilter } }",
      run: "{}",
      path: "/x",
      btf: "{}",
    };
    const fields = Object.entries(COMMAND_FIELDS as OwnedFields).filter(([, { of }]) => of !== "all");
    expect(fields.map(([name]) => name)).toEqual(Object.keys(given));
    for (const [fact, { of }] of fields)
      for (const name of COMMAND_NAMES) {
        const { out, code } = await tested(
          telling("it.name", "bpf"),
          `- { command: { name: ${name}, ${fact}: ${given[fact]} }, expect: deny }`,
        );
        if (of.includes(name)) expect([name, fact, code]).toEqual([name, fact, 0]);
        else expect(JSON.parse(out).error.message).toContain(`command ${name} has no fact \`${fact}\``);
      }
  });
});

describe("the token, the module and the executable of a case", () => {
  it.each([
    ["token: {}", "it.name", "BPF_TOKEN_CREATE", "bpf_token_create"],
    [
      "module: { name: hello, path: /tmp/hello.ko, data: abc, parameters: a=1 }",
      "[it.name, it.path, it.digest.slice(0, 8), it.purpose, it.parameters, it.signature]",
      ["hello", "/tmp/hello.ko", "ba7816bf", "module", "a=1", null],
      "kernel_read_file",
    ],
    [
      "executable: { name: tc, path: /sbin/tc, signature: { hex: 00ff } }",
      "[it.name, it.path, it.data.length, it.purpose, it.parameters, it.signature.length]",
      ["tc", "/sbin/tc", 0, "exec", null, 2],
      "bprm_check_security",
    ],
  ])("%s", async (subject, expression, expected, hook) => {
    expect(await told(expression, subject, hook)).toEqual(expected);
  });
});

describe("the writes of a case", () => {
  const WRITING = `import { map_delete, map_update } from "countersign";
    export function bpf_prog_load() {
      map_update("m", "a", 1);
      map_update("m", "a", { b: [2] });
      return map_delete("m", "c") && 0;
    }`;
  const OF_A = "writes: { m: { a: { b: [2] } } }";

  it.each([
    ["", true],
    [`${OF_A}, deletes: { m: [c] },`, true],
    [`${OF_A},`, false],
    ["writes: { m: { a: 1 } }, deletes: { m: [c] },", false],
    ["writes: { n: { a: { b: [2] } } }, deletes: { m: [c] },", false],
    [`${OF_A}, deletes: { m: [c, d] },`, false],
    ["writes: {},", false],
  ])("are compared completely: %s", async (writes, passed) => {
    const [result] = await results(
      WRITING,
      `- { program: { type: xdp }, maps: { m: { c: 1 } }, ${writes} expect: allow }`,
    );
    expect(result!.passed).toBe(passed);
    if (writes !== "") expect(result!.got).toBe('allow, deletes m "c", writes m "a": {"b":[2]}');
  });

  it("can be none", async () => {
    const [result] = await results(
      "export const bpf_prog_load = () => 0;",
      "- { program: { type: xdp }, writes: {}, expect: allow }",
    );
    expect(result).toMatchObject({ passed: true, got: "allow, writes nothing" });
  });
});

describe("the helpers of a case", () => {
  const PROGRAM = "program: { type: xdp, statements: [{ name: s }] }";

  it.each([
    ["verify_program: -ENOKEY", "verify_program(it, 'platform')", -126],
    ["verify_program platform: 0", "verify_program(it, 'platform')", 0],
    [
      "verify_program: 0, verify_program network: -EPERM",
      "[verify_program(it, 'network'), verify_program(it, 'platform')]",
      [-1, 0],
    ],
    ["verify_signature network PKCS7: -EBADMSG", "verify_signature(it.insns, null, 'network', 'PKCS7')", -74],
    ["statement_of platform: 0", "statement_of(it, 'platform').name", "s"],
    ["statement_of: null", "statement_of(it, 'platform')", null],
    ["signer_of platform: { subject: CN=x }", "signer_of(it, 'platform').subject", "CN=x"],
    ["signer_of: { key_id: ab }", "signer_of(it.insns, it.insns, 'platform', 'PKCS7').key_id", "ab"],
    ["map_update m: -E2BIG", "map_update('m', 'k', 1)", -7],
  ])("%s", async (answers, expression, expected) => {
    expect(await told(expression, `${PROGRAM}, helpers: { ${answers} }`)).toEqual(expected);
  });

  it("are the real ones where the case gives no answer", async () => {
    expect(await told("verify_program(it, 'platform')", "program: { type: xdp }")).toBe(-61);
    expect(await told("verify_signature(it.insns, null, 'platform', 'PKCS7')", "program: { type: xdp }")).toBe(-61);
  });

  it("do not hide a keyring or type that does not exist", async () => {
    const policy = telling("verify_signature(it.insns, null, 'plat' + 'forms', 'PKCS7')");
    const cases =
      "- { program: { type: xdp }, helpers: { verify_signature: 0 }, expect: fault POLICY_ERROR, reason: no keyring `platforms` }";
    expect(await results(policy, cases)).toMatchObject([{ passed: true }]);
  });

  it("fail a case whose policy does not ask for the answer", async () => {
    const cases = "- { program: { type: xdp }, helpers: { verify_program platform: 0 }, expect: allow }";
    const [result] = await results("export const bpf_prog_load = () => 0;", cases);
    expect(result).toMatchObject({ passed: false, unused_answers: ["verify_program platform"], got: "allow" });
  });
});

describe("the maps and the time of a case", () => {
  const COUNTING = `import { deny, map_lookup, map_update } from "countersign";
    export function bpf_prog_load() {
      const count = (map_lookup("m", "k") ?? 0) + 1;
      map_update("m", "k", count);
      return deny(String(count));
    }`;
  const FILE = "maps: { m: { file: m.json, writable: { entries: 4, bytes: 1KiB } } }";

  it.each(["enforce", "audit"])("are those of the case alone, in %s", async (mode) => {
    const place = new Workplace(`  - { policy: policies/p.js, mode: ${mode} }`, FILE);
    place.write("m.json", '{ "k": 10 }');
    place.write("policies/p.js", COUNTING);
    const one = (more: string, reason: number) =>
      `- { program: { type: xdp }, ${more} expect: deny, reason: "${reason}" }`;
    place.write(
      "policies/p.test.yaml",
      [one("", 11), one("", 11), one("maps: { m: { k: 4 } },", 5), one("maps: { m: {} },", 1), one("", 11)].join("\n"),
    );
    const { out, code } = await runCommand("test", "--no-cache", "--config", place.config);
    expect([code, out.trimEnd().split("\n").at(-1)]).toEqual([0, "5 passed, 0 failed"]);
  });

  it("decide whether a certificate is valid", async () => {
    const place = new Workplace(
      "  - policy: policies/verify-blobs.js",
      "maps: { container_policy: { writable: { entries: 4, bytes: 1KiB } } }",
    );
    place.policy("verify-blobs.js");
    const { signPkcs7 } = await import("../../../../src/trust/issuing/sign-cms.js");
    const hex = Buffer.from(signPkcs7(Buffer.from("abc"), place.signer)).toString("hex");
    const one = (time: string, expect: string) =>
      `- { blob: { data: abc, signature: { hex: ${hex} } }, time: ${time}, expect: ${expect} }`;
    place.write("policies/verify-blobs.test.yaml", `${one("2999-01-01T00:00:00Z", "-EKEYEXPIRED")}\n`);
    const { out } = await runCommand("test", "--no-cache", "--config", place.config);
    expect(out).toContain("1 passed, 0 failed");
  });
});

describe("a case with a mistake", () => {
  it.each([
    ["expect: allow", "has no subject"],
    [`file: ${own("examples/peek-tc.o")}, program: { type: xdp }, expect: allow`, "a case has file and program"],
    [
      "program: { type: tc }, expect: allow",
      "`tc` is no type of a program (programs in libbpf's section `tc` have the type `sched_cls`)",
    ],
    ["program: { type: xpd }, expect: allow", "`xpd` is no type of a program (did you mean `xdp`?)"],
    ["program: { type: xdp, helpers: [bpf_redirct] }, expect: allow", "did you mean `bpf_redirect`?"],
    ["program: { type: xdp, maps: [{ type: hsh }] }, expect: allow", "did you mean `hash`?"],
    ["program: { type: xdp, effects: { redirect: true } }, expect: allow", "did you mean `redirects`?"],
    ["program: { type: xdp, expected_attach_type: xpd }, expect: allow", "no attach type"],
    ["program: { type: xdp, insn_cnt: 1 }, expect: allow", "`insn_cnt` is 1"],
    [
      "program: { type: xdp, statements: [{ settings: [{ name: a, kind: b, value: 1 }] }] }, expect: allow",
      "no kind of a setting",
    ],
    ["program: { type: xdp }, hook: bpf_map, expect: allow", "bpf_map is about maps, not about programs"],
    [
      "module: {}, hook: bprm_check_security, expect: allow",
      "bprm_check_security is about executables, not about modules",
    ],
    ["token: { uid: 1 }, expect: allow", "unknown key `uid`"],
    ["command: { name: BPF_LINK_CRATE }, expect: allow", "is no command of bpf(2)"],
    ["command: { name: BPF_PROG_LOAD, cmd: 5 }, expect: allow", "unknown key `cmd`"],
    ["command: { name: BPF_PROG_LOAD, path: /x }, expect: allow", "command BPF_PROG_LOAD has no fact `path`"],
    [
      "command: { name: BPF_LINK_CREATE, attach: { target: { kind: netns, ifindex: 1 } } }, expect: allow",
      "target netns has no fact `ifindex`",
    ],
    [
      "command: { name: BPF_LINK_CREATE, attach: { target: { kind: interfaces } } }, expect: allow",
      "`interfaces` is no kind of target (did you mean `interface`?)",
    ],
    ["command: { name: BPF_OBJ_PIN, program: { type: tc } }, expect: allow", "`tc` is no program type"],
    ["program: { type: xdp }, labels: {}, container: null, expect: allow", "contradicts `container`"],
    ["program: { type: xdp }, maps: { mm: {} }, expect: allow", "`mm`, which is not configured"],
    ["program: { type: xdp }, maps: { m: { k: .inf } }, expect: allow", "is not a JSON value"],
    ["program: { type: xdp }, time: yesterday, expect: allow", "is not a time"],
    ["program: { type: xdp }, helpers: { verify_programs: 0 }, expect: allow", "did you mean `verify_program`?"],
    ["program: { type: xdp }, helpers: { verify_program a b: 0 }, expect: allow", "does not name arguments"],
    ["program: { type: xdp }, helpers: { verify_program: EPERM }, expect: allow", "neither 0 nor an errno"],
    ["program: { type: xdp }, helpers: { verify_program: -ENOTHING }, expect: allow", "neither 0 nor an errno"],
    ["program: { type: xdp }, helpers: { statement_of: x }, expect: allow", "neither null nor an index"],
    ["program: { type: xdp }, helpers: { statement_of: 1 }, expect: allow", "index 1 of `statements`"],
    ["program: { type: xdp }, helpers: { signer_of: { key: a } }, expect: allow", "neither null nor a mapping"],
    ["program: { type: xdp, signature: { hex: 0 } }, expect: allow", "hex"],
    ["program: { type: xdp }, capabilities: [BPF], expect: allow", "is not a capability"],
    ["program: { type: xdp, insn_cnt: 4294967296 }, expect: allow", "more than the most, 4294967295"],
    ["program: { type: xdp, insn_cnt: -1 }, expect: allow", "less than the least, 0"],
  ])("is rejected with its place: %s", async (one, message) => {
    const { code, out, err } = await tested("export const bpf_prog_load = () => 0;", `- { ${one} }`);
    expect(code).toBe(2);
    expect(JSON.parse(out).error.place).toMatch(/policies\/p\.test\.yaml:1:\d+/);
    expect(err).toContain(message);
  });
});

describe("what no case asks", () => {
  it("is named: attachments without a test, and hooks", async () => {
    const place = new Workplace("  - policy: policies/a.js\n  - policy: policies/b.js\n    scope: { uid: 1 }");
    place.write("policies/a.js", "export const bpf_prog_load = () => 0; export const bpf_map = () => 0;");
    place.write("policies/b.js", "export const bpf_prog_load = () => 0;");
    place.write("policies/a.test.yaml", "- { program: { type: xdp }, expect: allow }");
    place.write("policies/b.test.yaml", "- { program: { type: xdp }, expect: not asked }");
    const run = (...words: string[]) => runCommand("test", "--no-cache", "--config", place.config, ...words);
    expect((await run()).out).toContain("\nno test: bpf_map of a; b\n");
    expect(JSON.parse((await run("--json")).out).untested).toEqual([
      { attachment: "a", hooks: ["bpf_map"], is_whole: false },
      { attachment: "b", hooks: ["bpf_prog_load"], is_whole: true },
    ]);
  });
});
