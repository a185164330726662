import type {
  AnyNode,
  CatchClause,
  DoWhileStatement,
  ForInStatement,
  ForOfStatement,
  ForStatement,
  WhileStatement,
} from "acorn";
import { RAN_OUT } from "../../sandbox/shared/buffer-layout.js";
import { NODES_PER_STEP } from "../../sandbox/subjects/weights.js";
import { type ByKind, entryFor, type FunctionNode } from "../syntax/nodes.js";
import type { Source } from "../syntax/source.js";
import type { Edits } from "../units/edits.js";

/** Names in the linked text that no policy can spell; see assemble.ts. */
export interface Marks {
  /** Variable with the number of steps that are left; negative once they are used up. */
  readonly steps: string;
  /** Function that returns more steps, or throws if there are none. */
  readonly moreSteps: string;
  /** Array whose element RAN_OUT says whether the policy ran out of another resource. */
  readonly integers: string;
  /** Name for the error of a `catch` clause without one. */
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
  // A class without a constructor evaluates its fields at each `new`, without entering a function of the policy.
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
 * Counts one step at each function entry, loop round and class field, and one more for each 24 nodes in it. Between two
 * counts runs only straight-line code, whose time is proportional to its length. Adds a check to each `catch` and
 * `finally`. Adds no lines.
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

/** Code that checks first whether a resource ran out and throws again, so that a policy cannot catch that error. */
function look({ steps, integers }: Marks, error: string): string {
  return `if(${steps}<0||${integers}[${RAN_OUT}])throw ${error};`;
}
