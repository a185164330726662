import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LintFolder } from "../../../../support/lint.js";

/** Calls that can answer null, each with the verification that says whether it does. */
const ANSWERS = [
  ["statement_of(prog, 'platform').settings.length > 5", "verify_program(prog, 'platform')"],
  ["signer_of(prog, 'platform').subject === 'CN=a'", "verify_program(prog, 'platform')"],
  [
    "signer_of(prog.insns, prog.signature, 'platform', PKCS7).subject === 'CN=a'",
    "verify_signature(prog.insns, prog.signature, 'platform', PKCS7)",
  ],
] as const;

/** Bodies in which VERIFIED is a verification, and READ is evaluated only if that is 0. */
const EXCLUDED = [
  "if (VERIFIED !== 0) return deny('unsigned'); return READ ? -1 : 0;",
  "if (VERIFIED != 0) { note('unsigned'); return -1; } return READ ? -1 : 0;",
  "if (VERIFIED) return -1; return READ ? -1 : 0;",
  "if (VERIFIED < 0) throw new Error('unsigned'); return READ ? -1 : 0;",
  "const verdict = VERIFIED; if (verdict !== 0) return verdict; return READ ? -1 : 0;",
  "const signed = VERIFIED === 0; if (!signed) return -1; return READ ? -1 : 0;",
  "if (VERIFIED !== 0 || prog.insn_cnt > 5) return -1; return READ ? -1 : 0;",
  "if (prog.insn_cnt > 5 || VERIFIED !== 0) return -1; if (prog.insn_cnt > 3) return READ ? -1 : 0; return 0;",
  "if (VERIFIED === 0) return READ ? -1 : 0; return -1;",
  "if (!VERIFIED && prog.insn_cnt < 5) return READ ? -1 : 0; return -1;",
  "if (VERIFIED === 0) { note('signed'); } else return -1; return READ ? -1 : 0;",
  "if (VERIFIED !== 0) return -1; else return READ ? -1 : 0;",
  "return VERIFIED === 0 && READ ? -1 : 0;",
  "return VERIFIED !== 0 || READ ? -1 : 0;",
  "return VERIFIED >= 0 ? (READ ? -1 : 0) : -1;",
  "return 0 === VERIFIED ? (READ ? -1 : 0) : -1;",
  "if (VERIFIED !== 0) return -1; return prog.maps.some(() => READ) ? -1 : 0;",
  "switch (prog.type) { case 'xdp': if (VERIFIED !== 0) return -1; return READ ? -1 : 0; default: return -1; }",
] as const;

/** Bodies in which READ can be evaluated although VERIFIED is not 0. */
const POSSIBLE = [
  "return READ ? -1 : 0;",
  "if (VERIFIED === 0) return 0; return READ ? -1 : 0;",
  "if (VERIFIED !== 0) note('unsigned'); return READ ? -1 : 0;",
  "if (VERIFIED !== 0 && prog.insn_cnt > 5) return -1; return READ ? -1 : 0;",
  "if (VERIFIED !== 0) return READ ? -1 : 0; return 0;",
  "if (VERIFIED === 0 || prog.insn_cnt > 5) return READ ? -1 : 0; return 0;",
  "if (VERIFIED === -13) return -1; return READ ? -1 : 0;",
  "if (VERIFIED <= 0) return READ ? -1 : 0; return -1;",
  "const read = READ; if (VERIFIED !== 0) return -1; return read ? -1 : 0;",
  "return VERIFIED === 0 || READ ? -1 : 0;",
  "let verdict = VERIFIED; verdict = 0; if (verdict !== 0) return -1; return READ ? -1 : 0;",
  "const is = () => VERIFIED; if (is !== 0) return READ ? -1 : 0; return 0;",
  "if (prog.insn_cnt > 5) { if (VERIFIED !== 0) return -1; } return READ ? -1 : 0;",
] as const;

describe("LINT_NULLABLE_FACT of a helper whose answer a verification decides", () => {
  let folder: LintFolder;
  beforeAll(() => {
    folder = new LintFolder();
  });
  afterAll(() => folder.close());

  const codesOf = async (body: string): Promise<readonly string[]> => {
    const names = ["deny", "note", "signer_of", "statement_of", "verify_program", "verify_signature", "PKCS7"];
    const imported = names.filter((name) => new RegExp(`\\b${name}\\b`).test(body));
    const text = `import { ${imported.join(", ")} } from "countersign";\nexport function bpf_prog_load(prog) { ${body} }\n`;
    folder.write({ "policy.js": text });
    return (await folder.lint("policy.js")).map(({ code }) => code);
  };
  const filled = (body: string, read: string, verified: string) =>
    body.replace("READ", read).replace("VERIFIED", verified);

  for (const [read, verified] of ANSWERS) {
    it.each(EXCLUDED)(`is not reported about \`${read}\` after: %s`, async (body) => {
      expect(await codesOf(filled(body, read, verified))).toEqual([]);
    });

    it.each(POSSIBLE)(`is reported about \`${read}\` in: %s`, async (body) => {
      expect(await codesOf(filled(body, read, verified))).toContain("LINT_NULLABLE_FACT");
    });

    it.each(["'network'", "ring"])(`is reported about \`${read}\` after a verification by %s`, async (keyring) => {
      const other = verified.replace("'platform'", keyring);
      const ring = keyring === "ring" ? "let ring = 'platform'; if (prog.insn_cnt > 5) ring = 'network'; " : "";
      const codes = await codesOf(ring + filled(EXCLUDED[0], read, other));
      expect(codes).toContain("LINT_NULLABLE_FACT");
    });

    it.each(["const", "let"])(`is not reported about %s with the answer of \`${read}\``, async (kind) => {
      const [, call, rest] = /^(\w+\(.*?\))(\..*)$/.exec(read)!;
      const body = `if (VERIFIED !== 0) return -1; ${kind} answer = ${call}; return answer${rest} ? -1 : 0;`;
      expect(await codesOf(filled(body, "", verified))).toEqual([]);
    });
  }

  it("is reported in a function declaration, which can be called before the verification", async () => {
    const body = `if (prog.insn_cnt > 5) return other(); if (verify_program(prog, 'platform') !== 0) return -1;
      function other() { return statement_of(prog, 'platform').settings.length; } return other();`;
    expect(await codesOf(body)).toContain("LINT_NULLABLE_FACT");
  });
});

describe("a variable that is declared by `var`", () => {
  let folder: LintFolder;
  beforeAll(() => {
    folder = new LintFolder();
  });
  afterAll(() => folder.close());

  it.each([
    "if (prog.insn_cnt > 5) { var x = 1; } return x === undefined ? -1 : -2;",
    "if (x === undefined) return -1; var x = 1; return x;",
    "for (const map of prog.maps) { var last = map.max_entries; } return last === undefined ? -1 : 0;",
    "switch (prog.type) { case 'xdp': var least = 5; } return least === undefined ? -1 : 0;",
    "try { var known = JSON.parse(prog.name).length === 1; } catch { return -1; } return known === undefined ? -1 : 0;",
    "if (prog.insn_cnt > 5) var is = prog.name === 'a'; return is === undefined ? -1 : 0;",
  ])("can be undefined: %s", async (body) => {
    folder.write({ "policy.js": `export function bpf_prog_load(prog) { ${body} }\n` });
    expect((await folder.lint("policy.js")).map(({ code }) => code)).not.toContain("LINT_TYPE_MISMATCH");
  });

  it("is of its type otherwise", async () => {
    folder.write({ "policy.js": "export function bpf_prog_load() { var x = 1; return x === 'a' ? -1 : 0; }\n" });
    expect((await folder.lint("policy.js")).map(({ code }) => code)).toContain("LINT_TYPE_MISMATCH");
  });
});
