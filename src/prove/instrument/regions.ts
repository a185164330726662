import type { AnyNode } from "acorn";
import { isFunction } from "../../policy/syntax/nodes.js";

/** What {@link Regions.bornOf} gives for variables of a file: less than any number of loops. */
export const OUTSIDE = "-1";

interface Region {
  readonly names: ReadonlySet<string>;
  /** The name of the constant with the number of loops around the region, or a number. */
  readonly born: string;
  isNamed: boolean;
}

/**
 * The functions and the bodies of `for … of` around the node that is written. A run of one of them makes its variables
 * anew, so that a change to them does not outlast it.
 */
export class Regions {
  readonly #around: Region[] = [];

  /**
   * Writes the statements of a region by `write`. If {@link bornOf} names the constant `born`, its declaration with the
   * value `birth` comes before them.
   */
  inside(
    { patterns, nodes }: { readonly patterns: readonly AnyNode[]; readonly nodes: readonly AnyNode[] },
    born: string,
    birth: string,
    write: () => string,
  ): string {
    const names = new Set<string>();
    for (const pattern of patterns) addPattern(pattern, names);
    for (const node of nodes) addNames(node, names, false);
    const region: Region = { names, born, isNamed: false };
    this.#around.push(region);
    const text = write();
    this.#around.pop();
    return region.isNamed && born !== birth ? `const ${born}=${birth};${text}` : text;
  }

  /**
   * An expression for the number of loops around the declaration of a variable; {@link OUTSIDE} for one of the file. If
   * a name is declared several times, the outermost declaration is taken: a variable that seems to be older than it is
   * only makes less decided.
   */
  bornOf(name: string): string {
    const region = this.#around.find(({ names }) => names.has(name));
    if (region === undefined) return OUTSIDE;
    region.isNamed = true;
    return region.born;
  }
}

/** The names that are declared in nodes, with those in blocks of them. */
export function declaredNames(nodes: readonly AnyNode[]): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (node: AnyNode): void => {
    addNames(node, names, false);
    for (const child of childrenOf(node)) visit(child);
  };
  nodes.forEach(visit);
  return names;
}

/** Adds the names that are declared in a node, apart from those in functions and in bodies of `for … of` in it. */
function addNames(node: AnyNode, names: Set<string>, onlyVar: boolean): void {
  if (node.type === "VariableDeclaration") {
    if (!onlyVar || node.kind === "var") for (const { id } of node.declarations) addPattern(id, names);
  } else if ((node.type === "FunctionDeclaration" || node.type === "ClassDeclaration") && node.id) {
    names.add(node.id.name);
  } else if (node.type === "CatchClause" && node.param) addPattern(node.param, names);
  if (isFunction(node) || node.type === "ClassDeclaration" || node.type === "ClassExpression") return;
  const isLoop = node.type === "ForOfStatement" || node.type === "ForInStatement";
  for (const child of childrenOf(node)) addNames(child, names, onlyVar || isLoop);
}

/** The names that a pattern binds, and those in default values of it. */
export function boundNames(pattern: AnyNode): readonly string[] {
  const names = new Set<string>();
  addPattern(pattern, names);
  return [...names];
}

/** Adds the names that a pattern binds. Names of default values are added, too, which only makes less decided. */
function addPattern(pattern: AnyNode, names: Set<string>): void {
  if (pattern.type === "Identifier") names.add(pattern.name);
  else if (pattern.type === "Property") addPattern(pattern.value, names);
  else for (const child of childrenOf(pattern)) addPattern(child, names);
}

export function childrenOf(node: AnyNode): AnyNode[] {
  return Object.values(node).flatMap((value) => (Array.isArray(value) ? value : [value]).filter(isNode));
}

function isNode(value: unknown): value is AnyNode {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}
