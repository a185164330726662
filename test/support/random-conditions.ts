/** Conditions drawn by chance about few symbols, so that many of them contradict each other. */
import { PROGRAM_CLAUSES } from "../../src/bpf/program-constraints.js";
import {
  type Atom,
  type ElementCase,
  type Expression,
  JSON_TYPES,
  type SymbolDomain,
} from "../../src/prove/shared/atom.js";
import type { Condition } from "../../src/prove/solver/condition.js";
import type { Knowledge } from "../../src/prove/solver/solver.js";

const TEXT = { kind: "text", names: null, hex: null } as const;
const SYMBOLS: ReadonlyMap<string, SymbolDomain> = new Map<string, SymbolDomain>([
  ["prog.name", TEXT],
  ["prog.license", TEXT],
  ["prog.type", TEXT],
  ["hex", { kind: "text", names: null, hex: 2 }],
  ["a", { kind: "integer", least: "0", most: "5" }],
  ["b", { kind: "integer", least: "-4095", most: "0" }],
  ["j", { kind: "json" }],
  ["w", { kind: "number", least: "-9", most: "9" }],
  ["m", { kind: "integer", least: "0", most: String(2n ** 110n) }],
  ["l[*].a", TEXT],
  ["l[*].n", { kind: "integer", least: "0", most: "2" }],
  ["l.length", { kind: "integer", least: "0", most: "4294967295" }],
]);

const is = (name: string) => ({ constant: "0", of: [["1", name]] }) as const;
/** What is computed from other symbols. */
const COMPUTED: Readonly<Record<string, Expression>> = {
  "(a & 1)": { operation: "&", of: [is("a"), 1] },
  "(a & 4)": { operation: "&", of: [is("a"), 4] },
  "(a * a)": { operation: "*", of: [is("a"), is("a")] },
  "(m + (m * 3))": { operation: "+", of: [is("m"), { operation: "*", of: [is("m"), 3] }] },
  "Math.floor((w / 2))": { operation: "Math.floor", of: [{ operation: "/", of: [is("w"), 2] }] },
  "(b % 3)": { operation: "%", of: [is("b"), 3] },
};
const RANGES: Readonly<Record<string, SymbolDomain>> = {
  "(a & 1)": { kind: "integer", least: "0", most: "1", step: "1" },
  "(a & 4)": { kind: "integer", least: "0", most: "4", step: "4" },
  "(a * a)": { kind: "integer", least: "0", most: "25" },
  "(m + (m * 3))": { kind: "integer", least: "0", most: String(2n ** 112n) },
  "Math.floor((w / 2))": { kind: "integer", least: "-5", most: "5" },
  "(b % 3)": { kind: "integer", least: "-2", most: "0" },
};

/** What is known about the symbols of {@link randomConditions}. */
export const RANDOM_KNOWLEDGE: Knowledge = {
  symbols: new Map([...SYMBOLS, ...Object.entries(RANGES)]),
  origins: new Map(Object.entries(COMPUTED).map(([name, expression]) => [name, { kind: "computed", expression }])),
  clauses: PROGRAM_CLAUSES,
  ...{ argument: "prog", namesOf: () => [] },
};

type Next = (below: number) => number;

/** One to six conditions. */
export function randomConditions(next: Next): readonly Condition[] {
  const pick = <T>(of: readonly T[]): T => of[next(of.length)]!;
  const word = () => pick(["", "a", "ab", "ba", "GPL", "xdp", "unknown", "0a0b", "\ud83d", "\ude00", "\ud83d\ude00"]);
  const pattern = () => pick(["", "a*", "*b", "?", "a?", "**/b", "*", "a/**", "*a*b*"]);
  const about = (texts: readonly string[]): Atom => {
    const of = pick(texts);
    switch (next(8)) {
      case 7: {
        const parts = () => Array.from({ length: 1 + next(2) }, () => (next(2) === 0 ? word() : { text: pick(texts) }));
        const relation = pick(["equal", "starts", "ends", "includes"] as const);
        return { kind: "texts", relation, left: parts(), right: parts() };
      }
      case 0:
        return { kind: pick(["starts", "ends", "includes"] as const), of, text: word() };
      case 1:
        return { kind: "matches", of, text: pattern() };
      case 2: {
        const [one, other] = [of, pick(texts)].sort() as [string, string];
        return one === other ? { kind: "equals", of, text: word() } : { kind: "same", of: one, other };
      }
      default:
        return { kind: "equals", of, text: word() };
    }
  };
  const number = (names: readonly string[]): Atom => {
    const of = new Map(Array.from({ length: 1 + next(2) }, () => [pick(names), pick(["1", "-1", "2", "3"])] as const));
    const term = { constant: String(next(9) - 4), of: [...of].map(([name, by]) => [by, name] as const) };
    return { kind: "number", term, is: pick(["= 0", "< 0", "<= 0"] as const) };
  };
  const inElement = (): Condition => ({
    atom: next(2) === 0 ? about(["l[*].a", "l[*].a", "prog.name"]) : number(["l[*].n"]),
    is: next(2) === 0,
  });
  const some = (): Atom => {
    const where = Array.from({ length: 1 + next(2) }, (): ElementCase => Array.from({ length: next(3) }, inElement));
    return { kind: "some", of: "l", where, first: null };
  };
  const effect = () => pick(["read_only", "redirects", "decides", "tail_calls", "reads_kernel_memory"]);
  const atom = (): Atom => {
    switch (next(6)) {
      case 0:
        return { kind: "flag", of: next(4) === 0 ? "prog.gpl_compatible" : `prog.effects.${effect()}` };
      case 1:
        if (next(3) === 0) return { kind: "written", of: "j" };
        return { kind: "type", of: "j", among: JSON_TYPES.filter(() => next(2) === 0) };
      case 2:
        if (next(5) === 0) return { kind: "integer", of: pick(["j", "w"]) };
        return number(
          next(2) === 0 ? ["a", "b", "j", "w", "m", "l.length"] : ["a", "b", "w", ...Object.keys(COMPUTED)],
        );
      case 3:
        return some();
      default:
        return about(["prog.name", "prog.license", "prog.type", "hex"]);
    }
  };
  // The same condition about lists with a name for the element that it is about
  return Array.from({ length: 1 + next(6) }, (_, index): Condition => {
    const made = atom();
    const is = next(2) === 0;
    return { atom: made.kind === "some" && is && next(2) === 0 ? { ...made, first: `l[first ${index}]` } : made, is };
  });
}
