import { SourceMap } from "node:module";
import { dirname, join } from "node:path/posix";
import { parse } from "acorn";
import { fullAncestor } from "acorn-walk";
import { transformSync } from "esbuild";

const IMPORT = /\bimport\s+(?:type\s+)?(?:[\w$]+\s*,\s*)?\{([^}]*)\}\s+from\s+"(\.[^"]+)"/g;

/** The syntax tree, constants and imports of a TypeScript file. */
export class Module {
  /** The nodes of the file without types, each with those that it is in. */
  nodes = [];
  /** The other files, by path: constants that this file imports are looked up there. */
  others = new Map();
  #map;
  #code;
  #imports = new Map();
  #constants = [];

  constructor(file, text) {
    this.file = file;
    const { code, map } = transformSync(text, { loader: "ts", sourcemap: "external", sourcefile: file });
    this.#code = code;
    this.#map = new SourceMap(JSON.parse(map));
    const program = parse(code, { ecmaVersion: "latest", sourceType: "module", locations: true });
    fullAncestor(program, (node, _, ancestors) => {
      const parents = ancestors.at(-1) === node ? ancestors.slice(0, -1) : [...ancestors];
      this.nodes.push({ node, parents });
      if (node.type !== "VariableDeclarator" || parents.at(-1).kind !== "const") return;
      const scope = parents.findLast(({ params }) => params !== undefined) ?? null;
      this.#constants.push({ name: node.id.name, init: node.init, scope });
    });
    for (const [, names, path] of text.matchAll(IMPORT)) {
      const target = join(dirname(file), path).replace(/\.js$/, ".ts");
      for (const [name] of names.matchAll(/(?<!\bas\s+)\b(?!type\s|as\s)[\w$]+/g)) this.#imports.set(name, target);
    }
  }

  /** The line of a node in the TypeScript file, from 1. */
  lineOf({ loc: { start } }) {
    return this.#map.findEntry(start.line - 1, start.column).originalLine + 1;
  }

  /** The text of a node, without types. */
  textOf({ start, end }) {
    return this.#code.slice(start, end);
  }

  /**
   * The value of a constant at the top of the file, in one of the functions, or in the file that it is imported from.
   */
  constant(name, functions) {
    const isSeen = (one) => one.name === name && (one.scope === null || functions.includes(one.scope));
    const found = this.#constants.findLast(isSeen)?.init;
    return found ?? this.others.get(this.#imports.get(name))?.constant(name, []);
  }

  /** Whether the file imports the name from another file, or without a name, anything from it. */
  imports(file, name) {
    return name === undefined ? [...this.#imports.values()].includes(file) : this.#imports.get(name) === file;
  }
}

/** The innermost of the functions that has a name, which calls can use; null if there is none. */
export function namedFunction(parents) {
  for (let at = parents.length - 1; at >= 0; at--) {
    const node = parents[at];
    if (node.params === undefined) continue;
    const holder = parents[at - 1];
    if (node.id) return { node, name: node.id.name, isMethod: false };
    if (holder.type === "VariableDeclarator") return { node, name: holder.id.name, isMethod: false };
    if (holder.type === "MethodDefinition" || holder.type === "PropertyDefinition")
      return { node, name: holder.key.name, isMethod: true };
  }
  return null;
}
