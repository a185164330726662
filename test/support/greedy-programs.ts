/**
 * Programs of a given length that are made to cost the analysis much: a few statements, drawn by chance and repeated,
 * in a main function and in others. A statement changes a little with each repetition, as what the analysis keeps in
 * tables does.
 */
import { Writer } from "./growing-programs.js";

type Next = (below: number) => number;

/** A statement: which, and three numbers that it makes something of. */
export type Gene = readonly [kind: number, a: number, b: number, c: number];

/** The statements of each function; the first is the program's own. */
export type Genome = readonly (readonly Gene[])[];

interface Place {
  readonly writer: Writer;
  readonly round: number;
  /** Where the function's repetitions began, and where its last two instructions are. */
  readonly starts: readonly number[];
  readonly end: number;
  /** Where functions that may be called start. */
  readonly callees: readonly number[];
}

const RANDOM = 7;
const LOOP = 181;
const READ = 4;

const registerOf = (number: number) => [0, 6, 7, 8, 9][number % 5]!;
const slotOf = (number: number) => -8 * (1 + (number % 64));

type Statement = (place: Place, a: number, b: number, c: number) => void;

const STATEMENTS: readonly Statement[] = [
  ({ writer, round }, a, b, c) => writer.move(registerOf(a), b + c * round),
  ({ writer }, a, b) => writer.copy(registerOf(a), registerOf(b)),
  ({ writer }, a, b) => writer.add(registerOf(a), (b % 64) - 32),
  ({ writer }) => writer.helper(RANDOM),
  // stores and loads at constant places of the frame, of all sizes
  ({ writer, round }, a, b, c) => writer.store(10, registerOf(a), slotOf(b + c * round)),
  ({ writer, round }, a, b, c) => writer.load(registerOf(a), 10, slotOf(b + c * round)),
  ({ writer, round }, a, b, c) => writer.insn([0x73, 0x6b, 0x63][a % 3]!, 10, 0, -1 - ((b + c * round) % 504) - 4, 0),
  // a pointer into the frame, by a constant or anywhere, and what is done through it
  ({ writer, round }, a, b, c) => writer.copy(registerOf(a), 10).add(registerOf(a), slotOf(b + c * round)),
  ({ writer }, a) => writer.copy(7, 10).insn(0x0f, 7, registerOf(a), 0, 0),
  ({ writer }, a, b) => writer.store(registerOf(a), registerOf(b), 0),
  ({ writer }, a, b) => writer.load(registerOf(a), registerOf(b), 0),
  // branches: over the next instruction, to the end, and back to any repetition before
  ({ writer, round }, a, b, c) => writer.jumpIfEqual(registerOf(a), (b + c * round) % 64, writer.slots + 2).move(9, a),
  ({ writer, end }, a, b) => end - writer.slots < 0x7fff && writer.jumpIfEqual(registerOf(a), b % 64, end),
  ({ writer, starts }, a, b, c) => {
    const target = starts[(b + c) % starts.length] ?? starts[0]!;
    writer.insn(0x55, registerOf(a), 0, 1, b % 64).jump(target);
  },
  ({ writer, starts, round }, a, b) => {
    const target = starts[Math.max(0, round - 1 - (b % 8))] ?? starts[0]!;
    writer.insn(0x55, registerOf(a), 0, 1, b % 64).jump(target);
  },
  // calls of functions, with a pointer into the frame; callbacks; helpers that write into the frame
  ({ writer, round, callees }, a, b, c) => {
    if (callees.length === 0) return;
    writer
      .copy(1, 10)
      .add(1, slotOf(b + c * round))
      .copy(2, registerOf(a))
      .call(callees[(a + round) % callees.length]!);
  },
  ({ writer, round, callees }, a, b) => {
    if (callees.length === 0) return;
    writer
      .callback(2, callees[(a + round) % callees.length]!)
      .copy(3, 10)
      .add(3, slotOf(b))
      .move(1, 2)
      .move(4, 0)
      .helper(LOOP);
  },
  ({ writer, round }, _, b, c) =>
    writer
      .copy(1, 10)
      .add(1, slotOf(b + c * round))
      .move(2, 8)
      .move(3, 0)
      .helper(READ),
  ({ writer }, a) => writer.map(registerOf(a), a),
];

/**
 * What the fuzzer found to take most: jumps back over a deep frame, and loads through pointers of which nothing is
 * known.
 */
export const GREEDIEST: Genome = [
  [
    [5, 377, 351, 9],
    [4, 89, 177, 5],
    [14, 431, 434, 56],
    [10, 72, 507, 42],
    [11, 58, 352, 0],
    [4, 87, 20, 0],
    [6, 81, 427, 29],
  ],
];

export function randomGene(next: Next): Gene {
  return [next(STATEMENTS.length), next(512), next(512), next(4) === 0 ? 0 : next(64)];
}

export function randomGenome(next: Next): Genome {
  const functions = [1, 1, 2, 8, 64, 255][next(6)]!;
  const kinds = 1 + next(3);
  const bodies = Array.from({ length: kinds }, () => Array.from({ length: 1 + next(6) }, () => randomGene(next)));
  return Array.from(
    { length: functions },
    (_, index) => bodies[index === 0 ? 0 : 1 + (index % Math.max(1, kinds - 1))] ?? bodies[0]!,
  );
}

/** One statement more, less or another, in one of its functions or in all but the first. */
export function changed(genome: Genome, next: Next): Genome {
  const all = next(2) === 0;
  const at = next(genome.length);
  const gene = randomGene(next);
  const place = next(8);
  const how = next(3);
  const change = (genes: readonly Gene[]) => {
    const index = place % genes.length;
    if (how === 0 && genes.length < 12) return [...genes.slice(0, index), gene, ...genes.slice(index)];
    if (how === 1 && genes.length > 1) return genes.toSpliced(index, 1);
    return genes.with(index, gene);
  };
  return genome.map((genes, index) => (index === at || (all && index > 0) ? change(genes) : genes));
}

/** The program of about so many instructions: the first function has as many as all others together. */
export function programOf(genome: Genome, instructions: number): Uint8Array {
  const others = genome.length - 1;
  const each = others === 0 ? 0 : Math.max(12, Math.floor(instructions / 2 / others));
  const main = others === 0 ? instructions : Math.floor(instructions / 2);
  const startOf = (index: number) => (index === 0 ? 0 : main + (index - 1) * each);
  const writer = new Writer();
  for (const [index, genes] of genome.entries()) {
    const end = startOf(index + 1) - 2;
    // a function calls those behind it: there is no recursion
    const callees = Array.from({ length: Math.min(others - index, 16) }, (_, at) => startOf(index + 1 + at));
    const starts: number[] = [];
    writer.helper(RANDOM);
    for (const register of [6, 7, 8, 9]) writer.move(register, register);
    for (let round = 0; end - writer.slots > 10 * genes.length + 10; round++) {
      starts.push(writer.slots);
      writer.move(5, round);
      for (const [kind, a, b, c] of genes) STATEMENTS[kind]!({ writer, round, starts, end, callees }, a, b, c);
    }
    while (writer.slots < end) writer.move(5, 0);
    writer.end();
  }
  return writer.bytes();
}
