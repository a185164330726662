import type { AnyNode, Expression, Pattern, SpreadElement, Statement, Super } from "acorn";
import type { Watched } from "../../policy/checks/denials.js";
import { entryFor, type FunctionNode } from "../../policy/syntax/nodes.js";
import type { Unit } from "../../policy/units/units.js";
import { CapturedNames } from "./captured-names.js";
import { EXPRESSIONS } from "./expressions.js";
import { parameterCount } from "./functions.js";
import { NODE_TREATMENTS } from "./nodes.js";
import { OUTSIDE, Regions } from "./regions.js";
import { STATEMENTS } from "./statements.js";
import type { Writer } from "./writer.js";

/** The lines of a file in places of the explorer: `PLACE_STEP * number of the file + line`. */
export const PLACE_STEP = 2 ** 20;

/** The specifier of a rewritten file by its number. */
export function moduleOf(number: number): string {
  return `./${number}.js`;
}

/**
 * Rewrites one file of a policy so that every operation on a value becomes a call of a function of the explorer, which
 * is `$p.name` for the prefix `$p`. The result is a module. It is written anew from the syntax tree by the tables of
 * statements.ts and expressions.ts; a node that has no entry there becomes a call that ends the path as not decided.
 */
export class Rewriter implements Writer {
  #temporaries = 0;
  readonly #regions = new Regions();
  /** The variables that the loops around the node may change. */
  #accumulated: readonly string[] = [];
  readonly #captured: CapturedNames;
  readonly #dropped: ReadonlySet<AnyNode>;
  readonly #callbacks: ReadonlySet<AnyNode>;

  /**
   * `explorer` is the specifier of the explorer's module, `number` that of the file among the policy's files, `first`
   * that of the policy's first file among all files, `watched` has the places at which the engine looks for a denial
   * that is dropped.
   */
  constructor(
    readonly unit: Unit,
    readonly number: number,
    readonly first: number,
    readonly prefix: string,
    readonly explorer: string,
    watched: Watched,
  ) {
    this.#captured = new CapturedNames(unit.source);
    this.#dropped = new Set(watched.calls);
    this.#callbacks = new Set(watched.callbacks);
  }

  module(): string {
    const imported = `import * as ${this.prefix} from ${JSON.stringify(this.explorer)};\n`;
    const { body } = this.unit.source.program;
    const whole = { patterns: [], nodes: body as readonly AnyNode[] };
    return imported + this.#regions.inside(whole, OUTSIDE, OUTSIDE, () => this.statements(body));
  }

  region(patterns: readonly AnyNode[], nodes: readonly AnyNode[], write: () => string): string {
    return this.#regions.inside({ patterns, nodes }, this.temporary(), `${this.prefix}.birth()`, write);
  }

  assigned(name: string, value: string): string {
    const change = this.#accumulated.includes(name) ? "accumulate" : "write";
    return `${this.prefix}.${change}(${this.#regions.bornOf(name)},${value})`;
  }

  accumulating(names: readonly string[], write: () => string): string {
    const around = this.#accumulated;
    this.#accumulated = [...around, ...names];
    const text = write();
    this.#accumulated = around;
    return text;
  }

  file(specifier: string): string {
    return moduleOf(this.first + this.unit.targets.get(specifier)!);
  }

  temporary(): string {
    return `${this.prefix}${this.#temporaries++}`;
  }

  call(name: string, node: AnyNode, ...given: readonly string[]): string {
    return `${this.prefix}.${name}(${[this.place(node), ...given].join()})`;
  }

  place(node: AnyNode): number {
    return (this.first + this.number) * PLACE_STEP + this.unit.source.lines.positionAt(node.start).line;
  }

  notDecided(node: AnyNode, what: string = node.type): string {
    return this.call("notDecided", node, JSON.stringify(what));
  }

  statement(node: AnyNode): string {
    const write = NODE_TREATMENTS[node.type] === "not decided" ? undefined : entryFor(STATEMENTS, node);
    return write === undefined ? `${this.notDecided(node)};` : write(node, this);
  }

  statements(nodes: readonly (Statement | AnyNode)[]): string {
    const marks = nodes.flatMap((node) => {
      const declared = "declaration" in node ? (node.declaration as AnyNode | null | undefined) : node;
      return declared?.type === "FunctionDeclaration" && declared.id
        ? [`${this.prefix}.own(${declared.id.name},${parameterCount(declared)});`]
        : [];
    });
    return [...marks, ...nodes.map((node) => this.statement(node))].join("\n");
  }

  expression(node: Expression | SpreadElement | Super | Pattern | AnyNode): string {
    const write = NODE_TREATMENTS[node.type] === "not decided" ? undefined : entryFor(EXPRESSIONS, node);
    const written = write === undefined ? this.notDecided(node) : write(node, this);
    if (this.#callbacks.has(node)) return this.call("droppingCallback", node, written);
    return this.#dropped.has(node) ? this.call("unused", node, `${this.prefix}.denials()`, written) : written;
  }

  capturesNames(node: FunctionNode): boolean {
    return this.#captured.inParameters(node);
  }

  loopsOverItself(left: AnyNode, right: AnyNode): boolean {
    return this.#captured.inLoop(left, right);
  }

  test(node: Expression): string {
    return this.call("truthy", node, this.expression(node));
  }
}
