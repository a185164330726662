// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the strings are policies with templates
import { expect, it } from "vitest";
import { certifiedIfPossible, compareInputs } from "../../../support/certified-policy.js";
import { numbers, seedOf } from "../../../support/damage.js";

const isLong = process.env.COUNTERSIGN_NIGHTLY === "1";
const POLICIES = Number(process.env.POLICIES ?? (isLong ? 2_000 : 6));
const INPUTS = Number(process.env.INPUTS ?? (isLong ? 500 : 40));
const seed = isLong || process.env.SEED !== undefined ? seedOf() : 1;

/** Expressions that the checker evaluates, by kind; `@kind` stands for another one of that kind. */
const EXPRESSIONS: Readonly<Record<string, readonly string[]>> = {
  text: [
    "prog.name",
    "prog.type",
    "prog.license",
    "current.comm",
    "prog.digest",
    '"xdp"',
    '"edge"',
    "(prog.section ?? @text)",
    "prog.name.toLowerCase()",
    "current.comm.trim()",
    "prog.name.split('/').pop()",
    "prog.license.split('b')[0]",
  ],
  number: [
    "prog.insn_cnt",
    "current.uid",
    "prog.insns.length",
    "7",
    "-@number",
    "@number + 3",
    "@number - current.pid",
    "prog.helpers.length",
    "@number * current.uid",
    "@number / 4",
    "prog.name.length",
    "prog.maps.reduce((sum, one) => sum + one.max_entries, 1)",
    "prog.maps.reduce((sum, { type, memory }) => type === @text ? sum + memory : sum, 0)",
  ],
  flag: ["prog.effects.read_only", "prog.effects.redirects", "prog.gpl_compatible", "prog.effects.reads_kernel_memory"],
  verification: ['verify_program(prog, "platform")', 'verify_signature(prog.insns, prog.signature, "network", PKCS7)'],
  json: [
    'map_lookup("program_budget", "x")',
    'map_lookup("program_budget", "x")?.y',
    'map_lookup("debug_read_only", prog.name)',
  ],
  any: ["@text", "@number", "@flag", "@json", "null", "undefined", "current.exe", "current.container?.labels?.tier"],
  condition: [
    ...[
      "@flag",
      "!@condition",
      "(@condition && @condition)",
      "(@condition || @condition)",
      "@text === @text",
      "@number < @number",
    ],
    ...[
      "@number >= 100",
      "@number === current.uid",
      "@text.startsWith('a')",
      "@text.endsWith('b')",
      "@text.includes('ab')",
      "/^[a-x]*p$/.test(@text)",
    ],
    ...[
      "@verification === 0",
      "@verification !== -ENODATA",
      "@json === 5",
      "@json == null",
      "typeof @json === 'number'",
    ],
    ...[
      "@any === null",
      "@any != null",
      "['xdp', 'tc'].includes(@text)",
      "[@text, @text].some((one) => one === @text)",
    ],
    ...[
      "(@condition ? @condition : @flag)",
      "@json === @text",
      "current.container?.labels?.tier === 'edge'",
      "either(@text)",
    ],
    ...["prog.helpers.some((text) => @element)", "prog.maps.every(({ name: text }) => @element)"],
    ...["prog.helpers.includes(@text)", "current.capabilities?.includes('CAP_BPF')", "prog.maps.some(() => @flag)"],
    ...["NAMES.has(@text)", "NAMES.has(@any)"],
    ...["@text.startsWith(@text)", "@text.includes(@text)", "@json >= 3", "@json.includes(@text)", "@json < @number"],
    ...[
      "prog.helpers.find((text) => @element) === @text",
      "prog.maps.find(({ name: text }) => @element)?.type === 'hash'",
    ],
    ...["prog.name.split('a')[1] === @text", "RULES[@text] === @text", "RULES[@text] < 3"],
    ...["@number * 2 > 9", "signer_of(prog, 'platform')?.subject === 'a'", "@json > 3"],
  ],
  element: [
    ...["text === @text", "text.startsWith('a')", "!(@element)", "(@element && @flag)", "(@element || text === 'b')"],
    ...["NAMES.has(text)", "either(text)", "/^[a-x]*p$/.test(text)"],
  ],
  verdict: [
    ...["0", "0", "-1", "deny('no')", "deny(`${@text} and ${@number}`)", "deny(@text, 13)", "@verification"],
    ...["(@condition ? @verdict : @verdict)", "(@verification || @verification)", "deny('x', @number)", "chosen(prog)"],
  ],
  statement: [
    ...[
      "if (@condition) return @verdict;",
      "if (@condition) return @verdict;",
      "for (const { name: text, type } of prog.maps) { if (@element) return @verdict; if (type === @text) count++; }",
      "for (const text of prog.helpers) if (@element) { count += 1; } if (count > 1) return @verdict;",
      "for (const text of prog.helpers) { if (!(@element)) continue; found = true; } if (found) return @verdict;",
      "const { name } = prog; if (name === @text) return @verdict;",
    ],
    ...[
      "let n = 1; if (@condition) n = 2; if (n === 2) return @verdict;",
      "switch (@any) { case @text: return @verdict; case 7: break; case null: @statement default: @statement }",
      "switch (@text) { default: if (@condition) break; case 'xdp': return @verdict; case 'edge': }",
      "if (@condition) { return @verdict; } else if (@flag) return -2;",
    ],
  ],
};

const PRELUDE = `import { deny, map_lookup, verify_program, verify_signature, signer_of, PKCS7, ENODATA } from "countersign";
const RULES = { xdp: "edge", edge: 2 };
const NAMES = new Set(["xdp", "edge", 7]);
const either = (a, b = "edge") => a === b;
function chosen({ type, effects: { redirects } }) { return redirects ? -3 : type === "xdp" ? 0 : -4; }
`;

/** A policy in the language of the checker, drawn by chance. */
function drawnPolicy(next: (below: number) => number): string {
  let depth = 0;
  const draw = (kind: string): string => {
    depth += 1;
    const all = EXPRESSIONS[kind]!;
    const flat = depth > 5 ? all.filter((one) => !one.includes("@")) : all;
    const choices = flat.length === 0 ? ["prog.gpl_compatible"] : flat;
    const text = choices[next(choices.length)]!.replace(/@(\w+)/g, (_, inner: string) => draw(inner));
    depth -= 1;
    return text;
  };
  const body = Array.from({ length: 1 + next(4) }, () => `  { ${draw("statement")} }`);
  return `${PRELUDE}export function bpf_prog_load(prog, current) {\n  let [count, found] = [0, false];\n${body.join("\n")}\n  return ${draw("verdict")};\n}\n`;
}

it(`certificates of policies drawn by chance are right about all inputs (seed ${seed})`, {
  tags: ["deep"],
  timeout: 36_000_000,
}, () => {
  let count = 0;
  for (let round = 0; round < POLICIES; round++) {
    const next = numbers((seed + Math.imul(round, 0x9e3779b1)) >>> 0);
    const text = drawnPolicy(next);
    const certificate = certifiedIfPossible(text);
    if (certificate === null) continue;
    count += 1;
    compareInputs(certificate, next, INPUTS);
  }
  console.info(`${count} of ${POLICIES} policies were certified`);
  expect(count).toBeGreaterThan(POLICIES / 4);
});
