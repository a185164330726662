// Reads which names the files of a folder export and import, for the rules of scripts/arrows.mjs. It reads TypeScript
// and JavaScript as biome formats it: a statement at the top of a module begins at the beginning of a line.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const DECLARATION =
  /^export (?:declare )?(?:(?:async function\*?|function\*?|const|let|(?:abstract )?class|enum) |(interface|type) )(?:([\w$]+)|([{[][^=]*?[}\]]) =)/gm;
const OWN_LIST = /^export (type )?\{([^}]*)\};/gm;
/** `export { … } from`, `export * from`, `import … from`, `import "…"`. */
const STATIC = /^(import|export)( type)?(?: ([\w*{$][^;"'`]*?) from)? "([^"]+)"/gm;
const DYNAMIC = /\bimport\(\s*"([^"]+)"\s*\)/g;

/**
 * The modules in folders below `root`, by their paths from there, which have `/`. A module has
 *
 * - `text`;
 * - `exports`: by exported name `{ line, isType, from }`. `from` is the path of the module that a re-export passes on,
 *   the name of a package, or null. `export *` has the name `*`.
 * - `imports`: `{ target, names, isType, isReexport, isDynamic, line }`. `target` is a path from `root` or the name of
 *   a package. `names` is null if the module is imported as a whole, and `isType` says that the import has only types.
 */
export function readModules(root, folders) {
  const modules = new Map();
  for (const folder of folders.filter((name) => existsSync(join(root, name))))
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.(ts|mts|mjs|js|cjs)$/.test(entry.name) || entry.name.endsWith(".d.ts")) continue;
      const path = join(entry.parentPath, entry.name);
      modules.set(relative(root, path), readModule(root, path));
    }
  return modules;
}

function readModule(root, path) {
  const text = readFileSync(path, "utf8");
  const targetOf = (name) => {
    if (!name.startsWith(".")) return name;
    const target = resolve(dirname(path), name);
    const source = target.replace(/\.js$/, ".ts");
    return relative(root, existsSync(source) ? source : target);
  };
  const lineOf = (index) => text.slice(0, index).split("\n").length;
  const imports = [...staticImports(text), ...dynamicImports(text)].map(({ index, specifier, ...more }) => ({
    ...more,
    target: targetOf(specifier),
    line: lineOf(index),
  }));
  const exports = new Map();
  for (const { index, names, isType } of declarations(text))
    for (const name of names) exports.set(name, { line: lineOf(index), isType, from: null });
  for (const match of text.matchAll(OWN_LIST))
    for (const { name, as, isType } of namesIn(match[2])) {
      const from = imports.find(({ list }) => list.some((each) => each.as === name))?.target ?? null;
      exports.set(as, { line: lineOf(match.index), isType: isType || match[1] !== undefined, from });
    }
  for (const { isReexport, target, list, isType, line } of imports)
    if (isReexport)
      for (const each of list) exports.set(each.as, { line, isType: isType || each.isType, from: target });
  return { text, exports, imports: imports.map(({ list, ...more }) => more) };
}

/** The names of `a, type b, c as d`. */
function namesIn(list) {
  const parts = list.split(",").map((part) => /^(type )?([\w$]+)(?:(?: as |: )([\w$]+))?$/.exec(part.trim()));
  return parts
    .filter((match) => match !== null)
    .map(([, type, name, as]) => ({ name, as: as ?? name, isType: type !== undefined }));
}

/** Declarations at the top of a module; a template literal may have others, such as those of a policy. */
function declarations(text) {
  const matches = [...text.matchAll(DECLARATION)];
  const templates = text.includes("`") && matches.length > 0 ? templatesIn(text) : [];
  return matches
    .filter(({ index }) => !templates.some(([start, end]) => start < index && index < end))
    .map(({ index, 1: type, 2: name, 3: pattern }) => ({
      index,
      names: name === undefined ? (pattern.match(/[\w$]+(?=\s*[,}\]])/g) ?? []) : [name],
      isType: type !== undefined,
    }));
}

/** Comments, strings and regular expressions, which may have backticks; or a backtick. */
const TOKEN = new RegExp(
  [
    /[/]{2}.*|[/]\*[\s\S]*?\*[/]/,
    /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/,
    /(?<=[(,=:[!&|?{};+]\s*|\breturn )\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\//,
    /`/,
  ]
    .map(({ source }) => source)
    .join("|"),
  "g",
);

/** The start and end of each template literal that is in no other. */
function templatesIn(text) {
  const found = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    if (match[0] !== "`") continue;
    const end = templateEnd(text, match.index + 1);
    found.push([match.index, end]);
    TOKEN.lastIndex = end;
  }
  return found;
}

/** The index after a template literal whose text begins at `at`. */
function templateEnd(text, at) {
  let index = at;
  while (index < text.length && text[index] !== "`") {
    if (text[index] === "\\") index++;
    else if (text.startsWith("${", index)) {
      let depth = 1;
      for (index += 2; depth > 0 && index < text.length; index++) {
        if (text[index] === "`") index = templateEnd(text, index + 1) - 1;
        else if (text[index] === "{") depth++;
        else if (text[index] === "}") depth--;
      }
      continue;
    }
    index++;
  }
  return index + 1;
}

function staticImports(text) {
  return Array.from(text.matchAll(STATIC), ({ index, 1: keyword, 2: type, 3: clause = "", 4: specifier }) => {
    const isReexport = keyword === "export";
    const isWhole = !clause.startsWith("{");
    const list = isWhole
      ? [{ name: "*", as: clause.replace(/^\*( as )?/, "") || "*", isType: false }]
      : namesIn(clause.slice(1, -1));
    const isType = type !== undefined || (!isWhole && list.every((each) => each.isType));
    const names = isWhole ? null : list.map(({ name }) => name);
    return { index, specifier, names, list, isType, isReexport, isDynamic: false };
  });
}

/** `const { a } = await import("…")` and `(await import("…")).a` import a name, all others the whole module. */
function dynamicImports(text) {
  return Array.from(text.matchAll(DYNAMIC), ({ index, 0: { length }, 1: specifier }) => {
    const before = text.slice(Math.max(0, index - 300), index);
    const after = text.slice(index + length, index + length + 80);
    const destructured = /\{([^{}=]*)\} = await $/.exec(before)?.[1];
    const member = /\(await $/.test(before) ? /^\)\.([\w$]+)/.exec(after)?.[1] : undefined;
    const list = namesIn(destructured ?? member ?? "");
    const names = list.length === 0 ? null : list.map(({ name }) => name);
    return { index, specifier, names, list, isType: false, isReexport: false, isDynamic: true };
  });
}
