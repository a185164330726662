import type { AnyNode, ArrowFunctionExpression, CatchClause, Function as FunctionNode } from "acorn";
import { RAN_OUT } from "../sandbox/slots.js";
import type { Edits } from "./edits.js";
import { type ByKind, entryFor } from "./nodes.js";
import type { Source } from "./source.js";

/** Names of the linked text that no policy can spell; see assemble.ts. */
export interface Marks {
  /** The steps that are left, a number: negative once they are used up. */
  readonly steps: string;
  /** Throws: the steps are used up. */
  readonly exhausted: string;
  /** Where it stands that the policy ran out of something else. */
  readonly box: string;
  /** A catch clause's error where the policy gave it no name. */
  readonly error: string;
}

const loop = ({ body }: { body: AnyNode }, edits: Edits, marks: Marks): void => {
  if (body.type === "BlockStatement") enter(body, edits, marks);
  else wrap(body, edits, `{${tick(marks)};`, "}");
};
const entry = (node: FunctionNode | ArrowFunctionExpression, edits: Edits, marks: Marks): void => {
  if (node.body.type === "BlockStatement") enter(node.body, edits, marks);
  else wrap(node.body, edits, `(${tick(marks)},`, ")");
};

const METERS: ByKind<[Edits, Marks], void> = {
  FunctionDeclaration: entry,
  FunctionExpression: entry,
  ArrowFunctionExpression: entry,
  // a class without a constructor runs its fields for each `new`, and that enters no function of the policy
  PropertyDefinition({ value }, edits, marks) {
    if (value && !value.type.endsWith("FunctionExpression")) wrap(value, edits, `(${tick(marks)},`, ")");
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
 * Counts a step at each function entry, loop back-edge and field of a class, so that between two counts only
 * straight code runs; and a guard into each `catch` and `finally`. Inserts, never adds a line.
 */
export function meter({ nodes }: Source, edits: Edits, marks: Marks): void {
  for (const node of nodes) entryFor(METERS, node)?.(node, edits, marks);
}

function tick({ steps, exhausted }: Marks): string {
  return `--${steps}<0&&${exhausted}()`;
}

function enter(block: AnyNode, edits: Edits, marks: Marks): void {
  edits.open(block.start + 1, `${tick(marks)};`);
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

/** A first look at what is caught: a policy cannot catch that it ran out of something. */
function look({ steps, box }: Marks, error: string): string {
  return `if(${steps}<0||${box}[${RAN_OUT}])throw ${error};`;
}
