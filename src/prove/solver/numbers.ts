import type { JsonDomain, Origin, SymbolDomain } from "../shared/atom.js";
import type { Condition } from "./condition.js";
import { type Bounds, type Constraint, compares, constraintOf, narrowComputed, withOperands } from "./constraints.js";
import type { Effort } from "./effort.js";
import { isRefuted } from "./elimination.js";
import { searchNumbers } from "./number-search.js";
import { floorDivide, isExhausted, valuesOf } from "./small-domains.js";

type Found = ReadonlyMap<string, number> | "unsatisfiable" | "unknown";

/**
 * Finds a number for each symbol, such that all conditions are true. `unsatisfiable` is certain, by arithmetic with
 * BigInt; `unknown` means that neither was found. What is computed from other symbols has no number of its own.
 */
export function findNumbers(
  conditions: readonly Condition[],
  domainOf: (name: string) => SymbolDomain | undefined,
  origins: ReadonlyMap<string, Origin>,
  effort: Effort,
): Found {
  const constraints = conditions.flatMap(({ atom, is }) => (atom.kind === "number" ? [constraintOf(atom, is)] : []));
  const kinds = conditions.flatMap(({ atom, is }) => (atom.kind === "integer" ? [[atom.of, is] as const] : []));
  const named = [...constraints.flatMap(({ of }) => [...of.keys()]), ...kinds.map(([name]) => name)];
  const { names, computed } = withOperands(named, origins);
  const bounds = new Map(names.map((name) => [name, boundsIn(domainOf(name))]));
  for (const [name, is] of kinds) if (!settleKind(bounds.get(name)!, is)) return "unsatisfiable";
  for (const constraint of constraints) if (!narrow(constraint, bounds)) return "unsatisfiable";
  const all = [...constraints, ...narrowComputed(computed, bounds)];
  for (const its of bounds.values()) if (isEmpty(its)) return "unsatisfiable";
  if (all.some((one) => needsElimination(one, bounds)) && isRefuted(all, bounds)) return "unsatisfiable";
  if (isExhausted(all, bounds)) return "unsatisfiable";
  return searchNumbers({ names, constraints, bounds, computed }, effort) ?? "unknown";
}

function boundsIn(domain: SymbolDomain | undefined): Bounds {
  const none = { least: null, most: null, isInteger: null, step: 1n, excluded: new Set<bigint>() };
  if (domain?.kind === "json" && domain.domain !== undefined) return { ...none, ...jsonBounds(domain.domain) };
  if (domain?.kind !== "integer" && domain?.kind !== "number") return none;
  const [least, most] = [BigInt(domain.least), BigInt(domain.most)];
  if (domain.kind === "number") return { ...none, least, most };
  return { ...none, least, most, isInteger: true, step: BigInt(domain.step ?? "1") };
}

/** How far apart the least and the greatest of some integers may be for those between them to be left out. */
const MOST_BETWEEN = 1_000n;

function jsonBounds({ least, most, numbers, isInteger }: JsonDomain): Partial<Bounds> {
  const [low, high] = [
    least === null ? null : BigInt(Math.floor(least)),
    most === null ? null : BigInt(Math.ceil(most)),
  ];
  const excluded = new Set<bigint>();
  if (numbers !== null && isInteger && high! - low! <= MOST_BETWEEN) {
    const listed = new Set(numbers.map(BigInt));
    for (let one = low!; one <= high!; one++) if (!listed.has(one)) excluded.add(one);
  }
  return { least: low, most: high, isInteger: isInteger || null, excluded };
}

/** All doubles from here on are integers. */
const NO_FRACTIONS = 2n ** 52n;

/** Makes a symbol an integer, or none. False if it cannot be that. */
function settleKind(its: Bounds, isInteger: boolean): boolean {
  if (its.isInteger === !isInteger) return false;
  its.isInteger = isInteger;
  if (isInteger) return true;
  its.least = its.least === null || its.least < -NO_FRACTIONS ? -NO_FRACTIONS : its.least;
  its.most = its.most === null || its.most > NO_FRACTIONS ? NO_FRACTIONS : its.most;
  return true;
}

/** Whether bounds do not say all that a constraint does. */
function needsElimination({ constant, of }: Constraint, bounds: ReadonlyMap<string, Bounds>): boolean {
  if (of.size !== 1) return of.size > 1;
  const [[name, coefficient]] = [...of] as [[string, bigint]];
  return bounds.get(name)!.isInteger !== true && constant % coefficient !== 0n;
}

/** Narrows the bounds of the symbol of a constraint with one symbol. False if it cannot hold. */
function narrow({ constant, of, is }: Constraint, bounds: ReadonlyMap<string, Bounds>): boolean {
  if (of.size === 0) return compares(constant, is);
  if (of.size > 1) return true;
  const [[name, coefficient]] = [...of] as [[string, bigint]];
  const its = bounds.get(name)!;
  const isWhole = constant % coefficient === 0n;
  const root = -constant / coefficient;
  const atMost = (most: bigint) => {
    its.most = its.most === null || most < its.most ? most : its.most;
  };
  const atLeast = (least: bigint) => {
    its.least = its.least === null || least > its.least ? least : its.least;
  };
  const [below, above] = [floorDivide(-constant, coefficient), -floorDivide(constant, coefficient)];
  if (is === "= 0" || is === "!= 0") {
    if (!isWhole && (is === "!= 0" || its.isInteger === true)) return is === "!= 0";
    if (is === "!= 0") its.excluded.add(root);
    else {
      atLeast(below);
      atMost(above);
    }
    return true;
  }
  const isStrict = is === "< 0" && isWhole;
  if (its.isInteger !== true) {
    // The bound itself may be excluded, and numbers between integers are not
    if (isStrict) its.excluded.add(root);
    if (coefficient > 0n) atMost(above);
    else atLeast(below);
    return true;
  }
  if (coefficient > 0n) atMost(isStrict ? below - 1n : below);
  else atLeast(isStrict ? above + 1n : above);
  return true;
}

const FEW = 10_000n;

function isEmpty(its: Bounds): boolean {
  const { least, most, isInteger, step, excluded } = its;
  if (least === null || most === null) return false;
  if (least > most) return true;
  if (least === most) return excluded.has(least) || isInteger === false || least % step !== 0n;
  if (isInteger !== true || (most - least) / step >= FEW) return false;
  return valuesOf(its).next().done === true;
}
