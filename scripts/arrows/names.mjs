// Rules about names and files that only pass names on, for scripts/arrows.mjs.

/** Files that only re-export, with the reason: no module of src/ imports them. */
const ONLY_REEXPORTS = {
  "src/index.ts": "the library's interface, which package.json exports",
  "src/trust/sigstore/library.ts": "a bundle of its own, which has the parts of Sigstore's packages that are used",
};

/** The top folder of src/ that a file is in; `""` for a file directly in src/, null for a file elsewhere. */
export function topFolder(path) {
  const [src, folder, ...more] = path.split("/");
  if (src !== "src") return null;
  return more.length === 0 ? "" : folder;
}

/**
 * The imports of src/ from one top folder into another: the importing file, the target, and the names. A module that is
 * imported as a whole gives those of its names that the file has.
 */
export function crossings(modules) {
  const found = [];
  for (const [path, { imports, text }] of modules)
    for (const { target, names, line, isType } of imports) {
      const [from, to] = [topFolder(path), topFolder(target)];
      if (!from || !to || from === to || !modules.has(target)) continue;
      const words = names ?? [...modules.get(target).exports.keys()].filter((name) => hasWord(text, name));
      found.push({ path, line, target, names: words, isType });
    }
  return found;
}

/** Names that several files export to other top folders, also by re-export. */
export function ambiguousNames(modules) {
  const sources = new Map();
  for (const { target, names } of crossings(modules))
    for (const name of names) sources.set(name, (sources.get(name) ?? new Set()).add(target));
  return [...sources]
    .filter(([, files]) => files.size > 1)
    .map(([name, files]) => {
      const list = [...files].sort().join(" and ");
      return `\`${name}\` crosses top folders from ${list}: import it from one file, or rename one of them`;
    });
}

/** Files that only re-export: whoever imports one evaluates all files that it names. */
export function reexportFiles(modules) {
  return [...modules]
    .filter(([path, { text, exports }]) => {
      if (!path.startsWith("src/") || path in ONLY_REEXPORTS || exports.size === 0) return false;
      if ([...exports.values()].some(({ from }) => from === null)) return false;
      return !/^(?!import|export|\}|\s|\/\/|\/\*|$)/m.test(text);
    })
    .map(([path]) => `${path}: only re-exports; import from the files that it names`);
}

function hasWord(text, name) {
  return new RegExp(`(?<![\\w$])${name.replace(/[$*]/g, "\\$&")}(?![\\w$])`).test(text);
}
