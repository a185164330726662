import type { AnyNode, Statement } from "acorn";
import { type ByKind, entryFor, type FunctionNode, isFunction } from "../syntax/nodes.js";
import type { Source } from "../syntax/source.js";
import type { Edits, Wrap } from "../units/edits.js";

/** A place in a policy's files of which coverage says whether it was reached. Lines and columns count from 1. */
export interface Point {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Null for a statement. */
  readonly branch: Branch | null;
  /** The point is where a function returns: after its value, or at the end of its body. Only in a trace. */
  readonly returns?: true;
}

/**
 * What marks are for. `coverage`: the host is told of each point once. `trace`: it is also told where functions return,
 * and of every pass, up to {@link MAX_TOLD}; at last of the place where the hook returned. A trace takes more steps.
 */
export type MarksFor = "coverage" | "trace";

/** The most passes of points in one decision that a trace has. After them it has each further point once. */
export const MAX_TOLD = 2000;

/** One way to go on at a place where a policy can go on in several. */
export interface Branch {
  /** The number of the place, which all of its branches have. */
  readonly group: number;
  /** For people, such as `condition is false`. */
  readonly arm: string;
}

/** Names in the linked text for marking points; see assemble.ts. */
export interface PointMarks {
  /** Array with 1 for each point that this decision has reached. */
  readonly seen: string;
  /** Function of a point that was reached for the first time. */
  readonly reach: string;
  /** Variable for a value while its point is marked. */
  readonly held: string;
  /** In a trace: the number of passes, and the point where a function returned last, or -1. */
  readonly told: string;
  readonly last: string;
}

/**
 * Marks the points of a policy: statements, and branches of conditions, of `&&`, `||`, `??` and `?.`, of `switch`, and
 * of default values. A call `a.b?.()` is no point, since marking it would change its `this`. Marks add no lines, and
 * those of coverage no steps.
 */
export class PointMarker {
  readonly points: Point[] = [];
  #groups = 0;

  constructor(
    readonly marks: PointMarks,
    readonly marksFor: MarksFor,
  ) {}

  /** The declarations of {@link PointMarks}; `reached` is the function that tells the host. */
  declarations(reached: string): string {
    const { seen, reach, held, told, last } = this.marks;
    if (this.marksFor === "coverage") return `let ${seen}=[],${held};const ${reach}=n=>{${seen}[n]=1;${reached}(n)};`;
    const until = `if(++${told}>${MAX_TOLD})${seen}[n]=1;`;
    return `let ${seen}=[],${held},${told}=0,${last}=-1;const ${reach}=n=>{${until}${reached}(n)};`;
  }

  /** Code at the beginning of a decision, and after the hook has returned. */
  get beginning(): string {
    const { seen, told, last } = this.marks;
    return this.marksFor === "coverage" ? `${seen}=[];` : `${seen}=[];${told}=0;${last}=-1;`;
  }

  ending(reached: string): string {
    const { last } = this.marks;
    return this.marksFor === "coverage" ? "" : `if(${last}>=0)${reached}(${last});`;
  }

  /** The wraps of expressions of one file. */
  expressions(source: Source): readonly Wrap[] {
    const wraps: Wrap[] = [];
    for (const node of source.nodes) entryFor(EXPRESSIONS, node)?.(node, this, source, wraps);
    if (this.marksFor === "trace")
      for (const node of source.nodes) entryFor(RETURNS, node)?.(node, this, source, wraps);
    return wraps;
  }

  /** Marks the statements of one file, after all edits of what is within statements. */
  statements(source: Source, edits: Edits): void {
    for (const node of source.nodes) entryFor(STATEMENTS, node)?.(node, this, source, edits);
  }

  /** Code that marks a point. */
  mark(point: number): string {
    const { seen, reach } = this.marks;
    return `${seen}[${point}]||${reach}(${point})`;
  }

  /** Code that marks where a function returns. */
  returned(source: Source, node: AnyNode, at = node.start): string {
    const point = this.#add(source, { start: at }, null, true);
    return `${this.marks.last}=${point},${this.mark(point)}`;
  }

  statement(source: Source, node: AnyNode): number {
    return this.#add(source, node, null);
  }

  /** The points of the branches at nodes, or all at one node, in the order of `arms`. */
  branches(source: Source, nodes: AnyNode | readonly AnyNode[], ...arms: readonly string[]): number[] {
    const group = this.#groups++;
    return arms.map((arm, index) => this.#add(source, [nodes].flat()[index] ?? (nodes as AnyNode), { group, arm }));
  }

  #add(source: Source, { start }: Pick<AnyNode, "start">, branch: Branch | null, returns = false): number {
    const { line, column } = source.lines.positionAt(start);
    const point = { file: source.file, line, column, branch };
    return this.points.push(returns ? { ...point, returns } : point) - 1;
  }
}

type Marking<Target> = [PointMarker, Source, Target];

const condition = (node: { readonly test: AnyNode }, marker: PointMarker, source: Source, wraps: Wrap[]): void => {
  const arms = marker.branches(source, node.test, "condition is true", "condition is false");
  wraps.push(valueWrap(node.test, marker, "", arms));
};

const defaulted = (right: AnyNode, arm: string, marker: PointMarker, source: Source, wraps: Wrap[]): void => {
  // A function would lose the name that it gets from the assignment
  if (isFunction(right) || right.type === "ClassExpression") return;
  const [point] = marker.branches(source, right, arm);
  wraps.push(markWrap(right, marker.mark(point!)));
};

const EXPRESSIONS: ByKind<Marking<Wrap[]>, void> = {
  ConditionalExpression: condition,
  IfStatement: condition,
  LogicalExpression({ operator, left, right }, marker, source, wraps) {
    const [first, second] = marker.branches(
      source,
      right,
      `right side of ${operator} is not evaluated`,
      `right side of ${operator} is evaluated`,
    );
    const isNullish = operator === "??" ? NULLISH : "";
    wraps.push(valueWrap(left, marker, isNullish, operator === "||" ? [first!, second!] : [second!, first!]));
  },
  MemberExpression({ optional, object }, marker, source, wraps) {
    if (optional) optionalAccess(object, marker, source, wraps);
  },
  CallExpression({ optional, callee }, marker, source, wraps) {
    if (optional && callee.type === "Identifier") optionalAccess(callee, marker, source, wraps);
  },
  AssignmentPattern({ right }, marker, source, wraps) {
    defaulted(right, "default value is used", marker, source, wraps);
  },
  AssignmentExpression({ operator, right }, marker, source, wraps) {
    if (["&&=", "||=", "??="].includes(operator))
      defaulted(right, `right side of ${operator} is evaluated`, marker, source, wraps);
  },
  ArrowFunctionExpression({ body, expression }, marker, source, wraps) {
    if (expression) wraps.push(markWrap(body, marker.mark(marker.statement(source, body))));
  },
};

const fallsOff = ({ body }: FunctionNode, marker: PointMarker, source: Source, wraps: Wrap[]): void => {
  if (body.type !== "BlockStatement") return;
  const at = body.end - 1;
  wraps.push({ start: at, end: at, open: `;${marker.returned(source, body, at)};`, close: "" });
};

/** The points of a trace at which functions return. */
const RETURNS: ByKind<Marking<Wrap[]>, void> = {
  ReturnStatement(node, marker, source, wraps) {
    const { argument, start } = node;
    const mark = marker.returned(source, node);
    const after = start + "return".length;
    if (argument) wraps.push(afterWrap(argument, marker, mark));
    else wraps.push({ start: after, end: after, open: ` (${mark},void 0)`, close: "" });
  },
  ArrowFunctionExpression(node, marker, source, wraps) {
    if (node.expression) wraps.push(afterWrap(node.body, marker, marker.returned(source, node.body)));
    else fallsOff(node, marker, source, wraps);
  },
  FunctionDeclaration: fallsOff,
  FunctionExpression: fallsOff,
};

/** Marks a point after a value is there, and before it is used. */
function afterWrap({ start, end }: AnyNode, { marks: { held } }: PointMarker, mark: string): Wrap {
  return { start, end, open: `(${held}=(`, close: `),${mark},${held})` };
}

function optionalAccess(object: AnyNode, marker: PointMarker, source: Source, wraps: Wrap[]): void {
  const arms = marker.branches(source, object, "value before ?. is null or undefined", "value before ?. exists");
  wraps.push(valueWrap(object, marker, NULLISH, arms));
}

const NULLISH = "==null";

/** Marks the first point if a value, followed by `test`, is true, else the second. No other code runs in between. */
function valueWrap(
  { start, end }: AnyNode,
  marker: PointMarker,
  test: string,
  [first, second]: readonly number[],
): Wrap {
  const { held } = marker.marks;
  const close = `))${test}?${marker.mark(first!)}:${marker.mark(second!)},${held})`;
  return { start, end, open: `((${held}=(`, close };
}

function markWrap({ start, end }: AnyNode, mark: string): Wrap {
  return { start, end, open: `(${mark},`, close: ")" };
}

const all = (statements: readonly AnyNode[], marker: PointMarker, source: Source, edits: Edits): void => {
  for (const node of statements)
    if (isExecuted(node)) edits.open(node.start, `${marker.mark(marker.statement(source, node))};`);
};

/** A statement without braces in an `if` or a loop. */
const single = (node: AnyNode | null | undefined, marker: PointMarker, source: Source, edits: Edits): void => {
  if (!node || node.type === "BlockStatement" || !isExecuted(node)) return;
  edits.open(node.start, `{${marker.mark(marker.statement(source, node))};`);
  edits.close(node.end, "}");
};

const loop = ({ body }: { readonly body: Statement }, ...rest: Marking<Edits>): void => single(body, ...rest);
const list = ({ body }: { readonly body: readonly AnyNode[] }, ...rest: Marking<Edits>): void => all(body, ...rest);

const STATEMENTS: ByKind<Marking<Edits>, void> = {
  Program: list,
  BlockStatement: list,
  StaticBlock: list,
  IfStatement({ consequent, alternate }, ...rest) {
    single(consequent, ...rest);
    single(alternate, ...rest);
  },
  WhileStatement: loop,
  DoWhileStatement: loop,
  ForStatement: loop,
  ForInStatement: loop,
  ForOfStatement: loop,
  SwitchStatement({ cases }, marker, source, edits) {
    const arms = cases.map(({ test }) => (test ? "case is reached" : "default is reached"));
    const group = marker.branches(source, cases, ...arms);
    for (const [index, { consequent, end }] of cases.entries()) {
      const mark = `${marker.mark(group[index]!)};`;
      const first = consequent[0];
      if (first === undefined) edits.close(end, mark);
      else edits.open(first.start, mark);
    }
  },
  SwitchCase({ consequent }, ...rest) {
    all(consequent, ...rest);
  },
};

/** Statements that execute something; a block is not one, but its statements are. */
function isExecuted(node: AnyNode): boolean {
  switch (node.type) {
    case "FunctionDeclaration":
    case "EmptyStatement":
    case "BlockStatement":
    case "ImportDeclaration":
    case "ExportAllDeclaration":
      return false;
    case "ExportNamedDeclaration":
    case "ExportDefaultDeclaration":
      return node.declaration ? isExecuted(node.declaration) : false;
    default:
      return true;
  }
}
