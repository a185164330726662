import { EFFECTS, type MapFacts, type ProgramFacts } from "../../bpf/model/facts.js";
import { describeEvidence } from "../../bpf/report/evidence-text.js";
import type { MapDetails, ProgramDetails, Relocation } from "../../bpf/report/program-details.js";
import type { Inspected, Whole } from "./inspected.js";
import { styled } from "./output.js";

/** A file's facts as text: a heading, then one block for each program with one fact in each line. */
export function describeFacts({ file, facts, wholes, kernel, target }: Inspected): string {
  const order = facts.byte_order === "little" ? "" : ", big-endian";
  const heading = `${styled("bold", file)}  ${count(facts.programs.length, "program")}${order}, sha256 ${facts.sha256}`;
  const programs = facts.programs.map((program, index) =>
    describeProgram(program, wholes[index]!, kernel, onKernel(target, index)),
  );
  return [heading, ...programs].join("\n");
}

/** Replaces control characters and line breaks from the object, so that a name cannot move the terminal's cursor. */
export function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, "?");
}

/** On which kernel the facts about a program are, or why they are not. */
function onKernel(target: Inspected["target"], index: number): string[] {
  if (target === null) return [];
  const { kernel, variant, reasons } = target;
  const reason = reasons[index] ?? null;
  if (reason === null) return [`as on ${kernel.name}, by ${variant}`];
  if (reason.code === "CORE_NEEDS_KALLSYMS") return [`not known on ${kernel.name}: ${reason.message}`];
  return [`cannot load on ${kernel.name}: ${reason.message} [${reason.code}]`];
}

function describeProgram(program: ProgramFacts, whole: Whole, kernel: string | null, on: readonly string[]): string {
  const attach = program.expected_attach_type === null ? "" : `, attaches as ${program.expected_attach_type}`;
  const target = program.attach_to === null ? "" : ` to ${program.attach_to}`;
  const size = `${count(program.insn_cnt, "instruction")}, tag ${program.tag}`;
  const license = program.license === "" ? "no licence" : `licence ${program.license}`;
  const rows: (readonly [string, readonly string[]])[] = [
    ["type", [`${program.type}${attach}${target}`]],
    ["kernel", on],
    ["size", [`${size}, ${license}${program.gpl_compatible ? "" : " (not GPL-compatible)"}`]],
    ["shape", describeShape(whole)],
    ["helpers", program.helpers],
    ["gpl-only", whole.gpl_only_helpers],
    ["kfuncs", program.kfuncs],
    ["maps", whole.maps.map(describeWholeMap)],
    ["missing", (whole.missing ?? []).map(({ kind, name }) => `${kind} ${name}, looked for in ${kernel}`)],
    ["loading", describeLoading(whole.relocations)],
  ];
  const lines = rows
    .filter(([, values]) => values.length > 0)
    .flatMap(([label, values]) => fold(label, values, ONE_A_LINE.has(label) ? "\n" : ", "));
  const name = styled("cyan", plain(program.name));
  const section = program.section === null ? "" : `  section ${plain(program.section)}`;
  return [`  ${name}${section}`, ...lines, ...describeEffects(program)].join("\n");
}

const ONE_A_LINE: ReadonlySet<string> = new Set(["kernel", "maps", "missing", "loading"]);

function describeShape(details: ProgramDetails): string[] {
  const { functions, loops, stack_depth, max_executed, tail_calls, map_memory } = details;
  const memory = map_memory.fixed + map_memory.per_cpu;
  const cpus = map_memory.per_cpu === 0 ? "" : ` and ${inKiB(map_memory.per_cpu)} for each CPU`;
  return [
    count(functions.length, "function"),
    loops === null ? "control flow that cannot be read" : count(loops, "loop"),
    tail_calls === 0 ? "" : count(tail_calls, "tail call"),
    stack_depth === null ? "stack not bounded" : `stack up to ${stack_depth} bytes`,
    max_executed === null ? "run not bounded" : `run up to ${count(max_executed, "instruction")}`,
    memory === 0 ? "" : `maps up to ${inKiB(map_memory.fixed)}${cpus}`,
  ].filter((part) => part !== "");
}

const inKiB = (bytes: number) => (bytes < 1024 ? `${bytes} bytes` : `${Math.ceil(bytes / 1024)} KiB`);

/** The relocations that the loader applies. Those with the same kind and name are in one line. */
function describeLoading(relocations: readonly Relocation[]): string[] {
  const places = new Map<string, number[]>();
  for (const { insn, kind, what } of relocations) {
    const key = kind === "core" ? `fills in the ${what}` : `fills in the kernel's number of ${what}`;
    places.set(key, [...(places.get(key) ?? []), insn]);
  }
  return [...places].map(([what, insns]) => `${what} at ${insns.join(", ")}`);
}

function describeWholeMap(map: MapDetails): string {
  const sides = [map.program_access, map.user_access];
  const access =
    sides.every((side) => side === "rw") || map.contents !== null
      ? ""
      : `, programs ${sides[0]}, user space ${sides[1]}`;
  const inner = map.inner === null ? "" : `, of ${describeMap(map.inner)}`;
  return `${describeMap(map)}${access}${map.own ? "" : ", shared"}${inner}`;
}

export function describeMap({ name, type, key_size, value_size, max_entries, contents }: MapFacts): string {
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

const WIDTH = 100;

/** Values after a label: wrapped to a readable width, or one in each line. */
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
