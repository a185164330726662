import { posix } from "node:path";
import type { AnyNode } from "acorn";
import { CountersignError } from "../../error.js";
import { didYouMean } from "../../nearest.js";
import { GUEST_MODULE } from "../model/guest.js";
import type { LinkTime } from "../syntax/link-time.js";
import { forbidden, placeIn, readSource, type Source } from "../syntax/source.js";
import { ANONYMOUS, type Bindings, type Export, ifType, readBindings, refuseChanging } from "./bindings.js";
import { refuseForbidden } from "./forbidden.js";
import { Variables } from "./variables.js";

/** One file of a policy. */
export interface Unit {
  readonly source: Source;
  readonly bindings: Bindings;
  readonly variables: Variables;
  /** Import specifier to the index of its unit. */
  readonly targets: ReadonlyMap<string, number>;
  /** All exported names of the file, including re-exports. */
  readonly exports: ReadonlyMap<string, Export>;
}

export interface Files {
  /** Returns a file's text. Its errors are passed on. */
  read(path: string): string;
  /** A file that was read before and imports no other file; undefined for any other. */
  readonly known?: (path: string) => Unit | undefined;
  /** The folder of the policy's own file. Files outside it cannot be imported. */
  readonly root: string;
}

/**
 * Limits for the number of files of a policy and for their total size in UTF-16 code units, so that a policy can be
 * reviewed.
 */
const MAX_FILES = 64;
const MAX_SIZE = 256 * 1024;
/**
 * Maximum number of names that `export * from` adds to all files of a policy: each is written out in the linked text.
 */
const MAX_STARRED = 4096;

/**
 * Reads a policy and the files that it imports. Each file follows the files that it imports, so the policy itself is
 * last. Throws POLICY_SYNTAX, POLICY_FORBIDDEN, POLICY_TOO_LARGE, POLICY_UNKNOWN_NAME, and the errors of `read`.
 */
export function readUnits(entry: string, { read, root, known: readBefore }: Files, time: LinkTime): Unit[] {
  const units: Unit[] = [];
  const indices = new Map<string, number>();
  const open = new Set<string>();
  let size = 0;
  let starred = 0;

  const visit = (file: string): number => {
    const known = indices.get(file);
    if (known !== undefined) return known;
    const before = readBefore?.(file);
    if (before !== undefined) {
      units.push(before);
      indices.set(file, units.length - 1);
      return units.length - 1;
    }
    open.add(file);
    const text = read(file);
    size += text.length;
    if (size > MAX_SIZE) throw tooLarge(file, entry);
    time.grant(text.length);
    const source = readSource(file, text, time);
    const bindings = time.linear(() => {
      refuseForbidden(source);
      const spelt = source.text.indexOf(ANONYMOUS);
      if (spelt !== -1)
        throw forbidden(
          source,
          { start: spelt },
          `contains \`${ANONYMOUS}\`, the linker's own name of a default export`,
          "use another name",
        );
      return readBindings(source);
    });
    const targets = new Map<string, number>();
    for (const [from, node] of bindings.files) {
      const path = resolve(source, node, from, root);
      if (open.has(path))
        throw forbidden(
          source,
          node,
          `imports \`${from}\`, which imports it again`,
          "move what both need into a third file",
        );
      if (!indices.has(path) && indices.size + open.size >= MAX_FILES)
        throw forbidden(source, node, `is made of more than ${MAX_FILES} files`, "merge some of them");
      targets.set(from, visit(path));
    }
    open.delete(file);
    if (open.size > 0) time.linear(() => refuseChanging(source, bindings));
    const exports = time.linear(() => allExports(source, bindings, targets, units));
    starred += exports.size - bindings.exports.size;
    if (starred > MAX_STARRED)
      throw new CountersignError("POLICY_TOO_LARGE", `exports more than ${MAX_STARRED} names with \`export *\``, {
        place: placeIn(source, bindings.stars[0]!.node),
        remedy: "export the names that are needed one by one",
      });
    const variables = time.linear(() => new Variables(source.tree, bindings));
    units.push({ source, bindings, variables, targets, exports });
    indices.set(file, units.length - 1);
    return units.length - 1;
  };
  visit(entry);
  return units;
}

function tooLarge(file: string, entry: string): CountersignError {
  return new CountersignError(
    "POLICY_TOO_LARGE",
    `makes the files of \`${entry}\` longer than ${MAX_SIZE} characters in total`,
    { place: file, remedy: "keep tables in a map of the configuration, or split the policy" },
  );
}

function resolve(source: Source, node: AnyNode, from: string, root: string): string {
  if (!from.startsWith("./") && !from.startsWith("../"))
    throw forbidden(source, node, `imports \`${from}\``, `import \`${GUEST_MODULE}\`, or a file as "./name.js"`);
  const path = posix.join(posix.dirname(source.file), from);
  const inside = posix.relative(root === "" ? "." : root, path);
  if (inside.startsWith("..") || posix.isAbsolute(inside))
    throw forbidden(
      source,
      node,
      `imports \`${from}\`, which is outside of the policy's folder \`${root === "" ? "." : root}\``,
      "move the file into the folder of the policy's own file, or below it",
    );
  if (!/\.(js|mjs|ts)$/.test(path))
    throw forbidden(
      source,
      node,
      `imports \`${from}\`, which is not a .js or .ts file`,
      "name the file with its ending",
    );
  return path;
}

function allExports(
  source: Source,
  bindings: Bindings,
  targets: ReadonlyMap<string, number>,
  units: readonly Unit[],
): Map<string, Export> {
  const all = new Map(bindings.exports);
  for (const { from, node } of bindings.stars) {
    for (const name of units[targets.get(from)!]!.exports.keys()) {
      if (name === "default" || bindings.exports.has(name)) continue;
      if (all.has(name)) throw forbidden(source, node, `exports \`${name}\` from two files`, "export it by name");
      all.set(name, { node, local: null, from, name });
    }
  }
  for (const { from, name, node } of [...all.values(), ...bindings.imports.map((one) => ({ ...one, node: null }))]) {
    if (from === null || name === "*") continue;
    const exported = units[targets.get(from)!]!.exports;
    if (exported.has(name)) continue;
    const place = node ?? bindings.files.get(from)!;
    throw new CountersignError(
      "POLICY_UNKNOWN_NAME",
      `imports \`${name}\`, which \`${from}\` does not export${didYouMean(name, exported.keys())}`,
      {
        place: placeIn(source, place),
        remedy: `export it there, or correct the name${ifType(source)}`,
      },
    );
  }
  return all;
}
