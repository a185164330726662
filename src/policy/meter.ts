import type {
  AnyNode,
  ArrowFunctionExpression,
  CatchClause,
  DoWhileStatement,
  ForInStatement,
  ForOfStatement,
  ForStatement,
  Function as FunctionNode,
  Node,
  WhileStatement,
} from "acorn";
import { RAN_OUT } from "../sandbox/slots.js";
import { NODES_PER_STEP } from "../sandbox/weights.js";
import type { Edits } from "./edits.js";
import { type ByKind, entryFor } from "./nodes.js";
import type { Source } from "./source.js";

/** Names of the linked text that no policy can spell; see assemble.ts. */
export interface Marks {
  /** The steps that are left, a number: negative once they are used up. */
  readonly steps: string;
  /** Returns more steps, or throws where there are none. */
  readonly moreSteps: string;
  /** Holds whether the policy ran out of another resource. */
  readonly box: string;
  /** Name for the error of a catch clause that has none. */
  readonly error: string;
}

type Loop = WhileStatement | DoWhileStatement | ForStatement | ForInStatement | ForOfStatement;

const loop = (node: Loop, edits: Edits, marks: Marks, nodes: NodeCount): void => {
  const { body } = node;
  const ticked = tick(marks, nodes.within(node));
  if (body.type === "BlockStatement") edits.open(body.start + 1, `${ticked};`);
  else wrap(body, edits, `{${ticked};`, "}");
};
const entry = (node: FunctionNode | ArrowFunctionExpression, edits: Edits, marks: Marks, nodes: NodeCount): void => {
  const ticked = tick(marks, nodes.within(node));
  if (node.body.type === "BlockStatement") edits.open(node.body.start + 1, `${ticked};`);
  else wrap(node.body, edits, `(${ticked},`, ")");
};

const METERS: ByKind<[Edits, Marks, NodeCount], void> = {
  FunctionDeclaration: entry,
  FunctionExpression: entry,
  ArrowFunctionExpression: entry,
  // a class without a constructor runs its fields for each `new`, and that enters no function of the policy
  PropertyDefinition({ value }, edits, marks, nodes) {
    if (value && !value.type.endsWith("FunctionExpression"))
      wrap(value, edits, `(${tick(marks, nodes.within(value))},`, ")");
  },
  WhileStatement: loop,
  DoWhileStatement: loop,
  ForStatement: loop,
  ForInStatement: loop,
  ForOfStatement: loop,
  TryStatement({ block, handler }, edits, marks) {
    if (handler) guard(handler, edits, marks);
    else edits.close(block.end, `catch(${marks.error}){${look(marks, marks.error)}throw ${marks.error}}`);
  },
};

/**
 * Counts a step at each function entry, loop round and field of a class, and another for each 24 nodes of its syntax:
 * between two counts only straight-line code runs, whose time is proportional to its length. Puts a guard into each `catch` and
 * `finally`. Inserts, never adds a line.
 */
export function meter({ nodes }: Source, edits: Edits, marks: Marks): void {
  const count = new NodeCount(nodes);
  for (const node of nodes) entryFor(METERS, node)?.(node, edits, marks, count);
}

/** How many nodes stand within others. */
class NodeCount {
  readonly #starts: Float64Array;

  constructor(nodes: readonly AnyNode[]) {
    this.#starts = Float64Array.from(nodes, ({ start }) => start).sort();
  }

  /** The nodes of a subtree, its root among them. */
  within({ start, end }: Node): number {
    return this.#before(end) - this.#before(start);
  }

  #before(offset: number): number {
    let [low, high] = [0, this.#starts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle]! < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function tick({ steps, moreSteps }: Marks, nodes: number): string {
  const weight = 1 + Math.floor(nodes / NODES_PER_STEP);
  return `${weight === 1 ? `--${steps}` : `(${steps}-=${weight})`}<0&&(${steps}=${moreSteps}(${steps}))`;
}

function wrap(node: AnyNode, edits: Edits, open: string, close: string): void {
  edits.open(node.start, open);
  edits.close(node.end, close);
}

function guard(handler: CatchClause, edits: Edits, marks: Marks): void {
  const { param, body } = handler;
  if (!param) edits.close(handler.start + "catch".length, `(${marks.error})`);
  edits.open(body.start + 1, look(marks, param?.type === "Identifier" ? param.name : marks.error));
}

/** Checks a caught error first: a policy cannot catch that it ran out of a resource. */
function look({ steps, box }: Marks, error: string): string {
  return `if(${steps}<0||${box}[${RAN_OUT}])throw ${error};`;
}
