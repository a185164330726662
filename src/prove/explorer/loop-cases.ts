import type { ElementCase, ElementValue, LoopCases } from "../shared/atom.js";
import { differInLast } from "../solver/condition.js";

/** What was learnt about an element in one case: null if it leaves the loop. */
export interface LearntCase {
  readonly where: ElementCase;
  readonly passed: { readonly value: ElementValue } | null;
}

/** The cases of a loop, fewer if elements in several cases do the same; `nameOf` gives the name of the first stop. */
export function loopCasesOf(
  learnt: readonly LearntCase[],
  nameOf: (stops: readonly ElementCase[]) => string,
): LoopCases {
  let merged = [...learnt];
  for (let before = -1; before !== merged.length; ) {
    before = merged.length;
    merged = mergedOnce(merged);
  }
  merged = merged.map(({ where, passed }) => ({ where: shortened(where), passed }));
  const stops = merged.filter(({ passed }) => passed === null).map(({ where }) => where);
  const passes = merged.flatMap(({ where, passed }) => (passed === null ? [] : [{ where, value: passed.value }]));
  return { first: nameOf(stops), stops, passes };
}

/** A case without what follows from a text being a constant: that it is not another one. */
function shortened(where: ElementCase): ElementCase {
  const texts = new Map(where.flatMap(({ atom, is }) => (atom.kind === "equals" && is ? [[atom.of, atom.text]] : [])));
  return where.filter(({ atom, is }) => {
    const text = atom.kind === "equals" && !is ? texts.get(atom.of) : undefined;
    return text === undefined || text === (atom as { readonly text: string }).text;
  });
}

/** Cases that differ in their last condition follow each other, as they are explored. */
function mergedOnce(cases: readonly LearntCase[]): LearntCase[] {
  const left: LearntCase[] = [];
  for (const one of cases) {
    const last = left.at(-1);
    const isSame = last !== undefined && JSON.stringify(last.passed) === JSON.stringify(one.passed);
    if (isSame && differInLast(last.where, one.where))
      left[left.length - 1] = { ...one, where: one.where.slice(0, -1) };
    else left.push(one);
  }
  return left;
}
