import type { AnyNode, BreakStatement, ContinueStatement, LabeledStatement, Node, Program, TryStatement } from "acorn";
import { base, recursive } from "acorn-walk";

/** The innermost `finally` block around a statement, and whether unlabelled `break` and `continue` stay in it. */
interface Finally {
  readonly start: number;
  readonly breaks: boolean;
  readonly continues: boolean;
}

/** Null outside every `finally` block of the current function. */
type State = Finally | null;
type Walk = (node: Node, state: State, role?: string) => void;
type Visitor = (node: Node, state: State, walk: Walk) => void;
const inside = base as unknown as Readonly<Record<string, Visitor>>;

/**
 * Returns the first statement that leaves a `finally` block before its end (`return`, `throw`, `break`, `continue`), or
 * null. Such a statement replaces the return value of the `try` or `catch` block: `return deny("…")` would have no
 * effect.
 */
export function leavesFinally(program: Program): AnyNode | null {
  let first: AnyNode | null = null;
  /** Offsets of the labelled statements around the current one. */
  const labels = new Map<string, number>();
  const note = (node: AnyNode) => {
    if (first === null || node.start < first.start) first = node;
  };
  const leave: Visitor = (node, state, walk) => {
    if (state !== null) note(node as AnyNode);
    inside[node.type]!(node, state, walk);
  };
  const jump: Visitor = (node, state) => {
    if (state === null) return;
    const { label, type } = node as BreakStatement | ContinueStatement;
    const stays = type === "BreakStatement" ? state.breaks : state.continues;
    if (label ? labels.get(label.name)! < state.start : !stays) note(node as AnyNode);
  };
  const loop: Visitor = (node, state, walk) =>
    inside[node.type]!(node, state && { ...state, breaks: true, continues: true }, walk);
  const visitors: Readonly<Record<string, Visitor>> = {
    TryStatement(node, state, walk) {
      const { block, handler, finalizer } = node as TryStatement;
      walk(block, state);
      if (handler) walk(handler, state);
      if (finalizer) walk(finalizer, { start: finalizer.start, breaks: false, continues: false });
    },
    ReturnStatement: leave,
    ThrowStatement: leave,
    BreakStatement: jump,
    ContinueStatement: jump,
    ForStatement: loop,
    ForInStatement: loop,
    ForOfStatement: loop,
    WhileStatement: loop,
    DoWhileStatement: loop,
    SwitchStatement: (node, state, walk) => inside.SwitchStatement!(node, state && { ...state, breaks: true }, walk),
    LabeledStatement(node, state, walk) {
      const { name } = (node as LabeledStatement).label;
      const outer = labels.get(name);
      labels.set(name, node.start);
      inside.LabeledStatement!(node, state, walk);
      if (outer !== undefined) labels.set(name, outer);
    },
    Function: (node, _, walk) => inside.Function!(node, null, walk),
    StaticBlock: (node, _, walk) => inside.StaticBlock!(node, null, walk),
  };
  recursive(program, null, visitors as object);
  return first;
}
