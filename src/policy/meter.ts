import type {
  AnyNode,
  CatchClause,
  DoWhileStatement,
  ForInStatement,
  ForOfStatement,
  ForStatement,
  WhileStatement,
} from "acorn";
import { RAN_OUT } from "../sandbox/slots.js";
import { NODES_PER_STEP } from "../sandbox/weights.js";
import type { Edits } from "./edits.js";
import { type ByKind, entryFor, type FunctionNode } from "./nodes.js";
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

const loop = ({ body }: Loop, edits: Edits, marks: Marks, nodes: number): void => {
  const ticked = tick(marks, nodes);
  if (body.type === "BlockStatement") edits.open(body.start + 1, `${ticked};`);
  else wrap(body, edits, `{${ticked};`, "}");
};
const entry = ({ body }: FunctionNode, edits: Edits, marks: Marks, nodes: number): void => {
  const ticked = tick(marks, nodes);
  if (body.type === "BlockStatement") edits.open(body.start + 1, `${ticked};`);
  else wrap(body, edits, `(${ticked},`, ")");
};

const METERS: ByKind<[Edits, Marks, nodes: number], void> = {
  FunctionDeclaration: entry,
  FunctionExpression: entry,
  ArrowFunctionExpression: entry,
  // a class without a constructor runs its fields for each `new`, and that enters no function of the policy
  PropertyDefinition({ value }, edits, marks, nodes) {
    if (value && !value.type.endsWith("FunctionExpression")) wrap(value, edits, `(${tick(marks, nodes)},`, ")");
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
 * between two counts only straight-line code runs, whose time is proportional to its length. Puts a guard into each
 * `catch` and `finally`. Inserts, never adds a line.
 */
export function meter({ tree: { nodes, firsts } }: Source, edits: Edits, marks: Marks): void {
  for (const [index, node] of nodes.entries()) entryFor(METERS, node)?.(node, edits, marks, 1 + index - firsts[index]!);
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
