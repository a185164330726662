import { factsOfObject } from "../../src/bpf/object.js";
import { factsOfLoad } from "../../src/bpf/prog-load.js";
import { programDetailsOf } from "../../src/bpf/report/program-details.js";
import { changed, type Genome, programOf, randomGenome } from "../support/greedy-programs.js";
import { GROWING_OBJECTS } from "../support/growing-objects.js";
import { loadOf } from "../support/growing-programs.js";
import { worked } from "../support/work.js";
import { type FuzzTarget, outcome } from "./target.js";

type Next = (below: number) => number;

/**
 * Blocks of code that may run: for any input, and for each instruction or byte. The first is what the analysis' budget
 * for any program comes to (bpf/analysis/states/work.ts).
 */
const MOST_ANY = 60_000_000;
const MOST_EACH = 600;
const INSTRUCTIONS = 16_000;
/** How often a program is changed in one round: what takes more work is kept. */
const CHANGES = 3;

/** Programs and objects that take as much work as can be found: no more than in proportion to their length. */
export const target: FuzzTarget = {
  rounds: 100,
  milliseconds: 10_000,
  round: (next) => (next(4) === 0 ? ofObject(next) : ofProgram(next)),
};

function ofProgram(next: Next): string {
  let best: Genome = randomGenome(next);
  let most = blocksOf(best);
  for (let change = 0; change < CHANGES; change++) {
    const genome = changed(best, next);
    const blocks = blocksOf(genome);
    if (blocks > most) [best, most] = [genome, blocks];
  }
  return share(most, INSTRUCTIONS, () => JSON.stringify(best));
}

function blocksOf(genome: Genome): number {
  const load = loadOf(programOf(genome, INSTRUCTIONS), 1 + (genome.length % 30));
  return worked(() => outcome(() => factsOfLoad(load))).blocks;
}

function ofObject(next: Next): string {
  const names = Object.keys(GROWING_OBJECTS);
  const name = names[next(names.length)]!;
  const count = 100 + next(4000);
  const bytes = GROWING_OBJECTS[name]!(count);
  const { blocks } = worked(() => outcome(() => factsOfObject(bytes, (program) => void programDetailsOf(program))));
  return share(blocks, bytes.length, () => `${count} ${name}`);
}

/** How much of what it may do was done: the answer that is counted. Throws where it is more. */
function share(blocks: number, units: number, what: () => string): string {
  const part = blocks / (MOST_ANY + MOST_EACH * units);
  if (part > 1) throw new Error(`${blocks} blocks of code ran for ${units} instructions or bytes: ${what()}`);
  return `below ${Math.max(1, Math.ceil(part * 10)) * 10}%`;
}
