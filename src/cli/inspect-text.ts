import { EFFECTS, type Evidence, type MapFacts, type ProgramFacts } from "../bpf/facts.js";
import type { Inspected } from "./inspect.js";
import { styled } from "./output.js";

/** A file's facts for a person: a heading, then a block for each program, one fact a line. */
export function describeFacts({ file, facts }: Inspected): string {
  const order = facts.byte_order === "little" ? "" : ", big-endian";
  const heading = `${styled("bold", file)}  ${count(facts.programs.length, "program")}${order}, sha256 ${facts.sha256}`;
  return [heading, ...facts.programs.map(describeProgram)].join("\n");
}

/** Control characters come from the object; a name is one line and cannot move a terminal's cursor. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, "?");
}

function describeProgram(program: ProgramFacts): string {
  const attach = program.expected_attach_type === null ? "" : `, attaches as ${program.expected_attach_type}`;
  const target = program.attach_to === null ? "" : ` to ${program.attach_to}`;
  const size = `${count(program.insn_cnt, "instruction")}, tag ${program.tag}`;
  const license = program.license === "" ? "no licence" : `licence ${program.license}`;
  const rows: (readonly [string, readonly string[]])[] = [
    ["type", [`${program.type}${attach}${target}`]],
    ["size", [`${size}, ${license}${program.gpl_compatible ? "" : " (not GPL-compatible)"}`]],
    ["helpers", program.helpers],
    ["kfuncs", program.kfuncs],
    ["maps", program.maps.map(describeMap)],
  ];
  const lines = rows
    .filter(([, values]) => values.length > 0)
    .flatMap(([label, values]) => fold(label, values, label === "maps" ? "\n" : ", "));
  const name = styled("cyan", plain(program.name));
  const section = program.section === null ? "" : `  section ${plain(program.section)}`;
  return [`  ${name}${section}`, ...lines, ...describeEffects(program)].join("\n");
}

function describeMap({ name, type, key_size, value_size, max_entries, contents }: MapFacts): string {
  const sizes = key_size === 0 && value_size === 0 ? "" : ` ${key_size} to ${value_size} bytes`;
  const frozen = contents === null ? "" : `, read-only, sha256 ${contents.slice(0, 16)}…`;
  return `${name}: ${type}${sizes}, ${max_entries === 0 ? "sized when loaded" : `up to ${max_entries}`}${frozen}`;
}

function describeEffects({ effects, evidence }: ProgramFacts): string[] {
  const may = EFFECTS.filter((effect) => effects[effect]);
  const verdict = effects.read_only ? styled("green", "read_only") : styled("yellow", "not read_only");
  const lines = [`    ${"effects".padEnd(9)}${verdict}${may.length === 0 ? "" : ", may:"}`];
  for (const effect of may) {
    const found = evidence.filter((entry) => entry.effect === effect);
    for (const [index, entry] of found.entries())
      lines.push(`      ${(index === 0 ? effect : "").padEnd(21)}${plain(describeEvidence(entry))}`);
  }
  return lines;
}

function describeEvidence({ insn, text, source, because }: Evidence): string {
  if (insn === null) return because;
  return `${because}; at ${insn}: ${text ?? "?"}${source === null ? "" : ` (${source})`}`;
}

const WIDTH = 100;

/** Values behind a label, in lines of a readable width, or one a line. */
function fold(label: string, values: readonly string[], between: ", " | "\n"): string[] {
  const lines: string[] = [];
  for (const value of values.map(plain)) {
    const last = lines.at(-1);
    if (between === ", " && last !== undefined && last.length + value.length + 2 <= WIDTH)
      lines[lines.length - 1] = `${last}, ${value}`;
    else lines.push(value);
  }
  return lines.map((line, index) => `    ${(index === 0 ? label : "").padEnd(9)}${line}`);
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
