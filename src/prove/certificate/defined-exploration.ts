import type { Domain, Place, Symbols } from "../check/path.js";
import type { Exploration } from "../explorer/exploration.js";
import { anyElement, type Expression, type LinearTerm, type Origin, type SymbolDomain } from "../shared/atom.js";

const LARGEST = String(BigInt(Number.MAX_VALUE));

/** An exploration with the symbols of a checker that the explorer has under other names, or not at all. */
export class DefinedExploration {
  readonly its: Exploration;
  readonly #domains: Map<string, SymbolDomain>;
  readonly #origins: Map<string, Origin>;

  constructor(
    exploration: Exploration,
    private readonly symbols: Symbols,
  ) {
    this.#domains = new Map(exploration.symbols);
    this.#origins = new Map(exploration.origins);
    const own = { symbols: this.#domains, origins: this.#origins };
    this.its = { ...exploration, ...own, knowledge: { ...exploration.knowledge, ...own } };
  }

  /** Adds the symbols that the checker has by now. */
  define(): void {
    const { places, domains, schemas } = this.symbols;
    for (const [name, place] of places) {
      const origin = this.#originOf(name, place);
      if (origin !== null && !this.#origins.has(name)) this.#origins.set(name, origin);
    }
    for (const [name, domain] of domains)
      if (!this.#domains.has(name)) this.#domains.set(name, symbolDomain(domain, places.get(name)));
    for (const name of schemas.keys()) if (!this.#domains.has(name)) this.#domains.set(name, { kind: "json" });
  }

  #originOf(name: string, place: Place): Origin | null {
    if (typeof place === "string") return null;
    if ("operator" in place) return { kind: "computed", expression: this.#expressionOf(name) };
    if ("first" in place) return { kind: "element", list: place.list, where: place.first };
    if (!("initial" in place)) return null;
    const { list, initial, cases } = place;
    const isCount = initial === 0 && cases.every(({ terms }) => JSON.stringify(terms) === ONE);
    if (isCount) return { kind: "count", list, where: cases.map(({ where }) => where) };
    const accumulator = `${anyElement(list)} accumulator`;
    const before: Expression = { constant: "0", of: [["1", accumulator]] };
    const added = ({ where, terms }: (typeof cases)[number]) => ({
      where,
      expression: terms.reduce(
        (sum, term): Expression => ({ operation: "+", of: [sum, this.#expressionOf(term)] }),
        before as Expression,
      ),
    });
    return { kind: "folded", list, initial, accumulator, cases: cases.map(added) };
  }

  /** A term, or a symbol, with what it is computed from. */
  #expressionOf(its: LinearTerm | number | string): Expression {
    if (typeof its === "number") return its;
    if (typeof its === "string") {
      const place = this.symbols.places.get(its);
      if (typeof place !== "object" || !("operator" in place)) return { constant: "0", of: [["1", its]] };
      return { operation: place.operator, of: place.operands.map((one) => this.#expressionOf(one)) };
    }
    const [only, ...others] = its.of;
    const isAlone = its.constant === "0" && others.length === 0 && only?.[0] === "1";
    return isAlone ? this.#expressionOf(only[1]) : its;
  }
}

const ONE = JSON.stringify([{ constant: "1", of: [] }]);

function symbolDomain(domain: Domain, place: Place | undefined): SymbolDomain {
  const at = typeof place === "object" ? place : null;
  if (domain.kind === "text") {
    const { hex } = domain;
    return { kind: "text", names: null, hex, ...(at !== null && "step" in at ? { step: at.step } : {}) };
  }
  if (domain.kind === "number")
    return { kind: "number", least: String(domain.least ?? `-${LARGEST}`), most: String(domain.most ?? LARGEST) };
  const bounds = { least: String(domain.least), most: String(domain.most) };
  return { kind: "integer", ...bounds, ...(at !== null && "measure" in at ? { measure: at.measure } : {}) };
}
