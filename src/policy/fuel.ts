import type { AnyNode, ArrowFunctionExpression, CatchClause, Function as FunctionNode, TryStatement } from "acorn";
import { simple } from "acorn-walk";
import type MagicString from "magic-string";
import type { Source } from "./source.js";

/** Names of the linked text that no policy can spell; see linker.ts. */
export interface Marks {
  /** The fuel that is left, a number: negative once it has run out. */
  readonly fuel: string;
  /** Throws that fuel has run out. */
  readonly exhausted: string;
  /** Looks at a caught error first: a policy cannot catch that it ran out of something. */
  readonly caught: string;
  /** A catch clause's error where the policy gave it no name. */
  readonly error: string;
}

/**
 * Puts a count of fuel at each function entry, loop back-edge and field of a class, so that between two counts only
 * straight code runs; and a guard into each `catch` and `finally`. Inserts, never adds a line.
 */
export function meter(source: Source, text: MagicString, marks: Marks): void {
  const tick = `--${marks.fuel}<0&&${marks.exhausted}()`;
  const enter = (block: AnyNode) => text.prependRight(block.start + 1, `${tick};`);
  const wrap = (node: { start: number; end: number }, open: string, close: string) => {
    text.prependRight(node.start, open);
    text.appendLeft(node.end, close);
  };
  const loop = ({ body }: { body: AnyNode }) => {
    if (body.type === "BlockStatement") enter(body);
    else wrap(body, `{${tick};`, "}");
  };

  simple(source.program, {
    Function(node: FunctionNode | ArrowFunctionExpression) {
      if (node.body.type === "BlockStatement") return enter(node.body);
      wrap({ start: arrowEnd(source, node), end: node.end }, `(${tick},`, ")");
    },
    // a class without a constructor runs its fields for each `new`, and that enters no function of the policy
    PropertyDefinition(node) {
      const { value } = node;
      if (value && !value.type.endsWith("FunctionExpression")) wrap(value, `(${tick},`, ")");
    },
    WhileStatement: loop,
    DoWhileStatement: loop,
    ForStatement: loop,
    ForInStatement: loop,
    ForOfStatement: loop,
    TryStatement(node: TryStatement) {
      if (node.handler) guard(text, node.handler, marks);
      else
        text.appendLeft(node.block.end, `catch(${marks.error}){${marks.caught}(${marks.error});throw ${marks.error}}`);
    },
  });
}

function guard(text: MagicString, handler: CatchClause, marks: Marks): void {
  const { param, body } = handler;
  if (param === null || param === undefined) text.appendLeft(handler.start + "catch".length, `(${marks.error})`);
  const name = param?.type === "Identifier" ? param.name : marks.error;
  text.prependRight(body.start + 1, `${marks.caught}(${name});`);
}

/** The offset behind an arrow function's `=>`: the first one behind its parameters. */
function arrowEnd(source: Source, node: FunctionNode | ArrowFunctionExpression): number {
  const from = node.params.at(-1)?.end ?? node.start;
  const { tokens } = source;
  let low = 0;
  let high = tokens.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (tokens[middle]!.start < from) low = middle + 1;
    else high = middle;
  }
  while (tokens[low]!.type.label !== "=>") low++;
  return tokens[low]!.end;
}
