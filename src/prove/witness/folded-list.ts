import type { FactDomain } from "../../fact-type.js";
import { termsIn } from "../arithmetic/expression.js";
import { outsideDomain } from "../facts/in-domain.js";
import { anyElement, type FoldedOrigin } from "../shared/atom.js";

/** A way to give a list elements with which `reduce` has a value: a part of one of them is chosen. */
export interface FoldedWay {
  readonly element: "more" | "first" | "last";
  /** The number of the part among those that the callback names. */
  readonly part: number;
}

/** All ways for some symbols; one that changes nothing if there are none. */
export function foldedWays(origins: readonly FoldedOrigin[]): readonly FoldedWay[] {
  const most = Math.max(1, ...origins.map((origin) => partsOf(origin).length));
  const elements = origins.length === 0 ? (["more"] as const) : (["more", "first", "last"] as const);
  return elements.flatMap((element) => Array.from({ length: most }, (_, part) => ({ element, part })));
}

/** The facts of an element that a callback adds or compares. */
function partsOf({ list, cases }: FoldedOrigin): readonly string[] {
  const any = `${anyElement(list)}.`;
  const terms = cases.flatMap(({ expression }) => termsIn(expression));
  const names = terms.flatMap(({ of }) => of.map(([, name]) => name));
  return [...new Set(names.filter((name) => name.startsWith(any)).map((name) => name.slice(any.length)))];
}

/** The most elements that are added so that their number is reached. */
const MOST_MORE = 1_000;

/**
 * Elements with which `reduce` has a value, made from those that the list has: a part of one of them is set, and the
 * other parts of a new element are all 0 or all 1, which products need. The elements as they are if that is not enough.
 */
export function reachFolded(
  origin: FoldedOrigin,
  wanted: number,
  elements: readonly unknown[],
  domain: FactDomain,
  { element, part }: FoldedWay,
  { folded, more }: { readonly folded: (elements: readonly unknown[]) => number; readonly more: () => unknown },
): readonly unknown[] {
  if (folded(elements) === wanted) return elements;
  const parts = partsOf(origin);
  const fields = domain.kind === "object" ? domain.fields : {};
  const its = parts[part] === undefined ? undefined : fields[parts[part]];
  if (its === undefined) return manyMore(wanted, elements, folded, more);
  const isMore = element === "more" || elements.length === 0;
  const index = element === "first" && !isMore ? 0 : isMore ? elements.length : elements.length - 1;
  const others = parts.filter((one) => one !== parts[part] && outsideDomain(1, fields[one]!, "").length === 0);
  for (const other of isMore ? [0, 1] : [null]) {
    const set = other === null ? {} : Object.fromEntries(others.map((one) => [one, other]));
    const having = (value: number) => {
      const all = isMore ? [...elements, more()] : [...elements];
      all[index] = { ...(all[index] as object), ...set, [parts[part]!]: value };
      return all;
    };
    const [base, next] = [folded(having(0)), folded(having(1))];
    for (const value of [(wanted - base) / (next - base), wanted - base, wanted])
      if (outsideDomain(value, its, "").length === 0 && folded(having(value)) === wanted) return having(value);
  }
  return manyMore(wanted, elements, folded, more);
}

/** The same elements, and more of them, if their number counts. */
function manyMore(
  wanted: number,
  elements: readonly unknown[],
  folded: (elements: readonly unknown[]) => number,
  more: () => unknown,
): readonly unknown[] {
  const base = folded(elements);
  // Whether a value beyond the wanted one is right is examined afterwards
  const count = Math.ceil((wanted - base) / (folded([...elements, more()]) - base));
  if (!Number.isInteger(count) || count < 1 || count > MOST_MORE) return elements;
  return [...elements, ...Array.from({ length: count }, more)];
}
