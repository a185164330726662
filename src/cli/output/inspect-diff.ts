import type { ProgramFacts } from "../../bpf/model/facts.js";
import type { Change, Field, ObjectDifference, ProgramDifference } from "../../bpf/report/difference.js";
import { describeEvidence } from "../../bpf/report/evidence-text.js";
import { describeMap, plain } from "./inspect-text.js";
import type { Inspected } from "./inspected.js";
import { styled } from "./output.js";

/** The changes from one version of an object to the next as text, one change in each line. */
export function describeDifference(before: Inspected, after: Inspected, difference: ObjectDifference): string {
  const { added, removed, changed } = difference;
  const same = Math.max(0, after.facts.programs.length - added.length - changed.length);
  return [
    styled("bold", `${before.file} to ${after.file}`),
    ...removed.map((program) => gone(`program ${describe(program)}`)),
    ...added.flatMap((program) => [fresh(`program ${describe(program)}`), ...mayOf(program)]),
    ...changed.flatMap(describeProgram),
    `  ${same === 0 ? "no program is" : `${same} program${same === 1 ? " is" : "s are"}`} as before`,
  ].join("\n");
}

/** The same as JSON: names of added and removed programs, and old and new values of what changed. */
export function differenceJson(
  before: Inspected,
  after: Inspected,
  { added, removed, changed }: ObjectDifference,
): unknown {
  const version = ({ file, facts }: Inspected) => ({ file, sha256: facts.sha256 });
  const name = ({ section, name: program, type }: ProgramFacts) => ({ name: program, section, type });
  return {
    before: version(before),
    after: version(after),
    added: added.map(name),
    removed: removed.map(name),
    changed,
  };
}

const fresh = (text: string) => styled("green", `  + ${plain(text)}`);
const gone = (text: string) => styled("red", `  - ${plain(text)}`);

function describe({ name, section, type }: ProgramFacts): string {
  return `${name} (${type}, section ${section})`;
}

function mayOf({ effects, evidence }: ProgramFacts): string[] {
  if (effects.read_only) return ["      read_only"];
  return evidence.map((entry) => `      may ${entry.effect}: ${plain(describeEvidence(entry))}`);
}

function describeProgram(program: ProgramDifference): string[] {
  const { name, section, fields, helpers, kfuncs, effects, evidence, maps, changed_maps } = program;
  const within = (lines: readonly string[]) => lines.map((line) => `  ${line}`);
  return [
    `  ${styled("cyan", plain(name))}  section ${plain(section ?? "")}`,
    ...fields.map((field) => `    ${describeField(field)}`),
    ...within([
      ...lines("helper", helpers),
      ...lines("kfunc", kfuncs),
      ...effects.removed.map((effect) => gone(`effect ${effect}`)),
      ...effects.added.flatMap((effect) => [
        fresh(`effect ${effect}`),
        ...evidence
          .filter((entry) => entry.effect === effect)
          .map((entry) => `      ${plain(describeEvidence(entry))}`),
      ]),
      ...maps.removed.map((map) => gone(`map ${describeMap(map)}`)),
      ...maps.added.map((map) => fresh(`map ${describeMap(map)}`)),
      ...changed_maps.flatMap((map) => map.fields.map((field) => `  map ${plain(map.name)}: ${describeField(field)}`)),
    ]),
  ];
}

function lines(noun: string, { added, removed }: Change<string>): string[] {
  return [...removed.map((name) => gone(`${noun} ${name}`)), ...added.map((name) => fresh(`${noun} ${name}`))];
}

const SHOWN = 16;

function describeField({ name, before, after }: Field): string {
  const show = (value: Field["before"]) => {
    const text = value === null ? "none" : String(value);
    return plain(/^[0-9a-f]{64}$/.test(text) ? `${text.slice(0, SHOWN)}…` : text);
  };
  return `${name} ${show(before)}, now ${show(after)}`;
}
