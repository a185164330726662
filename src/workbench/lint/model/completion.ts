import type { AnyNode } from "acorn";
import type { FunctionNode } from "../../../policy/syntax/nodes.js";

/** How a statement can end: whether the next statement can follow, and which labels it breaks out to. */
interface End {
  readonly next: boolean;
  /** Labels of `break`; the empty string for one without a label. */
  readonly breaks: ReadonlySet<string>;
}

const NONE: ReadonlySet<string> = new Set();
const GOES_ON: End = { next: true, breaks: NONE };
const STOPS: End = { next: false, breaks: NONE };

/**
 * Which statements control flow can reach, as far as the text shows it without values: a condition counts as unknown,
 * except for a loop on `true` (ECMA-262, 14 Statements, the completion records of each).
 */
export class Completion {
  readonly #ends = new Map<AnyNode, End>();

  /** Whether control flow can reach the end of a function's body, so that it returns undefined. */
  reachesEnd({ body }: FunctionNode): boolean {
    return body.type === "BlockStatement" && this.#end(body).next;
  }

  /** Whether the statement after this one can follow it. */
  completes(statement: AnyNode): boolean {
    return this.#end(statement).next;
  }

  #end(node: AnyNode): End {
    const known = this.#ends.get(node);
    if (known !== undefined) return known;
    const end = this.#find(node);
    this.#ends.set(node, end);
    return end;
  }

  #find(node: AnyNode): End {
    switch (node.type) {
      case "ReturnStatement":
      case "ThrowStatement":
      case "ContinueStatement":
        return STOPS;
      case "BreakStatement":
        return { next: false, breaks: new Set([node.label?.name ?? ""]) };
      case "BlockStatement":
        return this.#sequence(node.body);
      case "IfStatement":
        return either(this.#end(node.consequent), node.alternate ? this.#end(node.alternate) : GOES_ON);
      case "WhileStatement":
        return this.#loop(node.body, !isTrue(node.test));
      case "DoWhileStatement": {
        // `continue` in the body leads to the test, so only a body with a jump out of the loop matters.
        return this.#loop(node.body, !isTrue(node.test));
      }
      case "ForStatement":
        return this.#loop(node.body, node.test != null && !isTrue(node.test));
      case "ForInStatement":
      case "ForOfStatement":
        return this.#loop(node.body, true);
      case "LabeledStatement": {
        const { next, breaks } = this.#end(node.body);
        return { next: next || breaks.has(node.label.name), breaks: without(breaks, node.label.name) };
      }
      case "SwitchStatement": {
        const ends = node.cases.map(({ consequent }) => this.#sequence(consequent));
        const breaks = new Set(ends.flatMap((end) => [...end.breaks]));
        const hasDefault = node.cases.some(({ test }) => test == null);
        const next = !hasDefault || breaks.has("") || (ends.at(-1)?.next ?? true);
        return { next, breaks: without(breaks, "") };
      }
      case "TryStatement": {
        const block = this.#end(node.block);
        const both = node.handler ? either(block, this.#end(node.handler.body)) : block;
        return node.finalizer && !this.#end(node.finalizer).next ? STOPS : both;
      }
      default:
        return GOES_ON;
    }
  }

  #sequence(statements: readonly AnyNode[]): End {
    let breaks: Set<string> | null = null;
    for (const statement of statements) {
      const end = this.#end(statement);
      if (end.breaks.size > 0) breaks = new Set([...(breaks ?? []), ...end.breaks]);
      if (!end.next) return { next: false, breaks: breaks ?? NONE };
    }
    return breaks === null ? GOES_ON : { next: true, breaks };
  }

  #loop(body: AnyNode, canEnd: boolean): End {
    const { breaks } = this.#end(body);
    return { next: canEnd || breaks.has(""), breaks: without(breaks, "") };
  }
}

function either(left: End, right: End): End {
  if (left.breaks.size + right.breaks.size === 0) return left.next ? left : right;
  return { next: left.next || right.next, breaks: new Set([...left.breaks, ...right.breaks]) };
}

function without(breaks: ReadonlySet<string>, label: string): ReadonlySet<string> {
  if (!breaks.has(label)) return breaks;
  return new Set([...breaks].filter((one) => one !== label));
}

function isTrue(node: AnyNode): boolean {
  return node.type === "Literal" && node.value !== null && Boolean(node.value);
}
