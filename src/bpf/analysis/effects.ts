import { EvidenceCollector } from "../evidence/evidence-collector.js";
import type { Code } from "../model/code.js";
import { EFFECTS, type Effects, type Evidence } from "../model/facts.js";
import { PROGRAM_TYPE_ROWS } from "../tables/program-types.js";
import { Interpreter } from "./interpreter.js";
import { flowOf } from "./states/flow.js";
import { Scratch } from "./values/scratch.js";
import { VerdictOf } from "./verdict.js";

/** The effects of a program, with evidence. */
export interface Judgement {
  readonly effects: Effects;
  readonly evidence: readonly Evidence[];
  /**
   * Whether the result relies on declarations of an object about maps, programs or attachment. A live load of the same
   * program may then have more effects.
   */
  readonly asDeclared: boolean;
}

/**
 * The effects of a program, with evidence. Sound: if the kernel accepts the program and the program can do something,
 * the effect is true. Never throws: if no kernel would accept the program, its type is unknown or it is too complex to
 * analyse, every effect is true. `scratch` is the memory for the analysis, which its caller ends.
 */
export function effectsOf(code: Code, scratch?: Scratch): Judgement {
  return judgementOf(findingsOf(code, () => false, null, scratch));
}

/**
 * The same for all programs of one object, with their names. If a program tail-calls another one (bpf_tail_call into a
 * program array that the object fills), it also has the effects of that program.
 */
export function effectsOfObject(programs: readonly (readonly [name: string, code: Code])[]): Judgement[] {
  const known = new Map(programs);
  const unique = known.size === programs.length;
  const findings = programs.map(([, code]) => findingsOf(code, (name) => unique && isOfOneKind(code, known.get(name))));
  includeHandOvers(
    programs.map(([name]) => name),
    findings,
  );
  return findings.map(judgementOf);
}

/** The slots of the calls of helpers that a program may reach, in ascending order; null if it cannot be followed. */
export function reachedHelperCalls(code: Code): readonly number[] | null {
  const reached = new Set<number>();
  const followed = findingsOf(code, () => false, reached).isComplete;
  return followed ? [...reached].sort((a, b) => a - b) : null;
}

/** Whether a tail call from one program to the other keeps the meaning of return value, context and stores. */
function isOfOneKind(code: Code, other: Code | undefined): boolean {
  return (
    other?.type === code.type && other.expectedAttachType === code.expectedAttachType && other.kernelProbe !== true
  );
}

/**
 * Adds the effects of tail-called programs to their callers until nothing changes. Each pair of programs is visited at
 * most once for each effect.
 */
function includeHandOvers(names: readonly string[], findings: readonly EvidenceCollector[]): void {
  const indexes = new Map(names.map((name, index) => [name, index]));
  const callers = names.map((): number[] => []);
  for (const [index, { handOvers }] of findings.entries())
    for (const name of handOvers.keys()) callers[indexes.get(name)!]!.push(index);
  const waiting = new Set(findings.keys());
  for (const index of waiting) {
    waiting.delete(index);
    for (const caller of callers[index]!)
      if (findings[caller]!.include(names[index]!, findings[index]!)) waiting.add(caller);
  }
}

function judgementOf(findings: EvidenceCollector): Judgement {
  return { effects: findings.effects(), evidence: findings.evidence(), asDeclared: findings.asDeclared };
}

function findingsOf(
  code: Code,
  goesOnAs: (program: string) => boolean,
  helperCalls: Set<number> | null = null,
  given?: Scratch,
): EvidenceCollector {
  const findings = new EvidenceCollector(code, helperCalls);
  const scratch = given ?? Scratch.begin();
  try {
    find(code, findings, scratch, goesOnAs);
  } finally {
    if (given === undefined) scratch.end();
  }
  return findings;
}

function find(code: Code, findings: EvidenceCollector, scratch: Scratch, goesOnAs: (program: string) => boolean): void {
  const type = PROGRAM_TYPE_ROWS.get(code.type);
  const flow = flowOf(code, scratch);
  if (type === undefined) findings.anything(null, `what a program of type \`${code.type}\` may do is not known`);
  else if ("because" in flow) findings.anything(flow.slot, flow.because);
  else {
    const verdict = new VerdictOf(type, code.expectedAttachType, findings);
    const followed = new Interpreter(code, flow, type, verdict, findings, scratch, goesOnAs).run();
    findings.isComplete = followed;
    if (!followed) findings.anything(null, "it is too large or too complex to be analysed completely");
    if (type.calls_bpf)
      for (const effect of EFFECTS)
        findings.note(effect, null, `a \`${type.type}\` program can call bpf(2), through which anything can be done`);
  }
}
