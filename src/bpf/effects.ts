import { flowOf } from "./analysis/flow.js";
import { Interpreter } from "./analysis/interpreter.js";
import { Scratch } from "./analysis/scratch.js";
import { VerdictOf } from "./analysis/verdict.js";
import type { Code } from "./code.js";
import { EFFECTS, type Effects, type Evidence } from "./facts.js";
import { Findings } from "./findings.js";
import { PROGRAM_TYPE_ROWS } from "./tables/program-types.js";

/**
 * What a program may do, and where. Sound: a program that the kernel takes and that can do a thing never has it false. Never
 * throws: a program that no kernel would take, of a type that is not known, or too entangled to follow, may do anything.
 */
export function effectsOf(code: Code): { readonly effects: Effects; readonly evidence: readonly Evidence[] } {
  const findings = new Findings(code);
  const scratch = Scratch.begin();
  try {
    find(code, findings, scratch);
  } finally {
    scratch.end();
  }
  return { effects: findings.effects(), evidence: findings.evidence() };
}

function find(code: Code, findings: Findings, scratch: Scratch): void {
  const type = PROGRAM_TYPE_ROWS.get(code.type);
  const flow = flowOf(code, scratch);
  if (type === undefined) findings.anything(null, `what a program of type \`${code.type}\` may do is not known`);
  else if ("because" in flow) findings.anything(flow.slot, flow.because);
  else {
    const verdict = new VerdictOf(type, code.expectedAttachType, findings);
    const followed = new Interpreter(code, flow, type, verdict, findings, scratch).run();
    if (!followed) findings.anything(null, "it is too large or too entangled to be followed to the end");
    if (type.calls_bpf)
      for (const effect of EFFECTS)
        findings.note(effect, null, `a \`${type.type}\` program can call bpf(2), through which anything can be done`);
  }
}
