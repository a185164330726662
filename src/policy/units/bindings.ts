import type { AnyNode, ExportDefaultDeclaration, Literal, ModuleDeclaration, Pattern } from "acorn";
import { CountersignError } from "../../error.js";
import { didYouMean } from "../../nearest.js";
import { GUEST_MODULE, GUEST_NAMES } from "../model/guest.js";
import { addPatternNames } from "../syntax/patterns.js";
import { forbidden, placeIn, type Source } from "../syntax/source.js";
import type { Edits } from "./edits.js";

/** The imports and exports of one file of a policy. */
export interface Bindings {
  /** Imports from the virtual module: local name to the name there, or `*`. */
  readonly guest: ReadonlyMap<string, string>;
  /** Imports from other files: local name, file, and the name of the export, or `*`. */
  readonly imports: readonly { readonly local: string; readonly from: string; readonly name: string }[];
  /** Exported names to what they stand for: a local name, or another file's export. */
  readonly exports: ReadonlyMap<string, Export>;
  /** Files of which every export is exported again (`export * from`). */
  readonly stars: readonly { readonly from: string; readonly node: AnyNode }[];
  /** Each imported file, in order, to the first node that names it. */
  readonly files: ReadonlyMap<string, AnyNode>;
}

export interface Export {
  readonly node: AnyNode;
  readonly local: string | null;
  readonly from: string | null;
  readonly name: string;
}

/** The local name of an anonymous default export until the linker replaces it. The parser rejects it in a policy. */
export const ANONYMOUS = "$default";

/** Reads a file's imports and exports. Throws POLICY_FORBIDDEN or POLICY_UNKNOWN_NAME. */
export function readBindings(source: Source): Bindings {
  const guest = new Map<string, string>();
  const imports: { local: string; from: string; name: string }[] = [];
  const exports = new Map<string, Export>();
  const stars: { from: string; node: AnyNode }[] = [];
  const files = new Map<string, AnyNode>();
  const from = (node: AnyNode & { source?: Literal | null }) => {
    const file = String(node.source?.value);
    if (file !== GUEST_MODULE && !files.has(file)) files.set(file, node);
    return file;
  };

  for (const node of source.program.body as (ModuleDeclaration & AnyNode)[]) {
    switch (node.type) {
      case "ImportDeclaration": {
        const file = from(node);
        for (const specifier of node.specifiers) {
          const name = importedName(specifier);
          if (file !== GUEST_MODULE) imports.push({ local: specifier.local.name, from: file, name });
          else guest.set(specifier.local.name, knownGuestName(source, specifier, name));
        }
        break;
      }
      case "ExportNamedDeclaration": {
        if (node.declaration) {
          for (const local of declaredNames(node.declaration))
            exports.set(local, { node, local, from: null, name: local });
          break;
        }
        const file = node.source ? from(node) : null;
        if (file === GUEST_MODULE)
          throw forbidden(source, node, `exports from \`${GUEST_MODULE}\``, "import it where it is used");
        for (const specifier of node.specifiers) {
          const name = nameOf(specifier.local);
          exports.set(nameOf(specifier.exported), {
            node: specifier,
            local: file === null ? name : null,
            from: file,
            name,
          });
        }
        break;
      }
      case "ExportDefaultDeclaration": {
        const local = ownName(node) ?? ANONYMOUS;
        exports.set("default", { node, local, from: null, name: local });
        break;
      }
      case "ExportAllDeclaration": {
        const file = from(node);
        if (file === GUEST_MODULE)
          throw forbidden(source, node, `exports from \`${GUEST_MODULE}\``, "import it where it is used");
        if (node.exported) exports.set(nameOf(node.exported), { node, local: null, from: file, name: "*" });
        else stars.push({ from: file, node });
        break;
      }
    }
  }
  return { guest, imports, exports, stars, files };
}

/** Removes a file's import and export syntax and keeps the declarations and all line numbers. */
export function takeOut(source: Source, edits: Edits, anonymous: string): void {
  const blank = (start: number, end: number, instead: string) =>
    edits.replace(start, end, instead + source.text.slice(start, end).replace(/[^\n]+/g, ""));
  for (const node of source.program.body as (ModuleDeclaration & AnyNode)[]) {
    const declaration = "declaration" in node ? node.declaration : null;
    if (node.type === "ExportDefaultDeclaration" && ownName(node) === null) {
      // The text between `default` and the expression stays, since it can be a parenthesis.
      blank(node.start, afterDefault(source, node), " ");
      edits.open(afterDefault(source, node), `const ${anonymous}=`);
      edits.close(node.end, ";");
    } else if (declaration) blank(node.start, declaration.start, " ");
    // The declaration ends with a semicolon; otherwise a `(` after it would make it a call.
    else if (DECLARATIONS.has(node.type)) blank(node.start, node.end, ";");
  }
}

const DEFAULT = /export(?:\s|\/\/.*|\/\*[\s\S]*?\*\/)*default/y;

function afterDefault({ text }: Source, { start }: ExportDefaultDeclaration): number {
  DEFAULT.lastIndex = start;
  DEFAULT.test(text);
  return DEFAULT.lastIndex;
}

const DECLARATIONS: ReadonlySet<string> = new Set([
  "ImportDeclaration",
  "ExportNamedDeclaration",
  "ExportAllDeclaration",
]);

/** The name that a default export declares; an expression such as `(class A {})` declares none. */
function ownName({ declaration }: ExportDefaultDeclaration): string | null {
  const declares = declaration.type === "FunctionDeclaration" || declaration.type === "ClassDeclaration";
  return declares && declaration.id ? declaration.id.name : null;
}

/** Rejects exports that can change after the file has run, since an importing file gets the value at that time. */
export function refuseChanging(source: Source, bindings: Bindings): void {
  const variables = assignedNames(source);
  for (const node of source.program.body) {
    const declaration = node.type === "ExportNamedDeclaration" ? node.declaration : node;
    if (declaration?.type === "VariableDeclaration" && declaration.kind !== "const")
      for (const name of declaredNames(declaration)) variables.add(name);
  }
  for (const [name, { local, node }] of bindings.exports) {
    if (local !== null && variables.has(local))
      throw forbidden(
        source,
        node,
        `exports the variable \`${name}\`, which could change`,
        "export a const or a function",
      );
  }
}

/**
 * Names that any assignment in the file writes, whichever variable they denote. Functions and classes can be assigned
 * to as well.
 */
function assignedNames({ nodes }: Source): Set<string> {
  const names: string[] = [];
  for (const node of nodes) addPatternNames(assigned(node) as Pattern | null, names);
  return new Set(names);
}

function assigned(node: AnyNode): AnyNode | null {
  switch (node.type) {
    case "AssignmentExpression":
    case "ForInStatement":
    case "ForOfStatement":
      return node.left;
    case "UpdateExpression":
      return node.argument;
    default:
      return null;
  }
}

function knownGuestName(source: Source, node: AnyNode, name: string): string {
  if (name === "*" || GUEST_NAMES.includes(name)) return name;
  const message = `imports \`${name}\`, which \`${GUEST_MODULE}\` does not have${didYouMean(name, GUEST_NAMES)}`;
  throw new CountersignError("POLICY_UNKNOWN_NAME", message, {
    place: placeIn(source, node),
    remedy: `see types/countersign.d.ts for what it has${ifType(source)}`,
  });
}

/** Text for an error's remedy: an imported type is erased only if the import or export has the keyword `type`. */
export function ifType({ file }: Source): string {
  return file.endsWith(".ts") ? ", and write `import type` if it is a type" : "";
}

type Named = { type: "Identifier"; name: string } | { type: "Literal"; value?: unknown };

function nameOf(node: Named): string {
  return node.type === "Identifier" ? node.name : String(node.value);
}

function importedName(specifier: AnyNode): string {
  if (specifier.type === "ImportNamespaceSpecifier") return "*";
  return specifier.type === "ImportSpecifier" ? nameOf(specifier.imported) : "default";
}

function declaredNames(node: AnyNode): string[] {
  const names: string[] = [];
  if (node.type === "VariableDeclaration") for (const { id } of node.declarations) addPatternNames(id, names);
  else if ("id" in node && node.id && "name" in node.id) names.push(node.id.name);
  return names;
}
