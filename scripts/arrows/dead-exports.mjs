// Which exports nobody uses, for scripts/arrows.mjs.
import { basename, dirname } from "node:path";

/** The folders whose files are users of src/; it is one of them. */
export const USERS = ["src", "test", "scripts", "bench", "bin"];

/** Files whose exports are used by what this check cannot see. */
const ENTRIES = {
  "src/index.ts": "the library's interface",
  "src/prove/guest/main.ts": "rewritten policies call them; prove/instrument writes the calls",
  "src/gate/worker/gate-thread.ts": "a bundle of its own; bin/code-cache.mjs uses them there",
  "src/trust/sigstore/library.ts": "a bundle of its own, which is loaded by its path",
};

/**
 * Exports that no file of {@link USERS} imports. A type may be used only by its own file, where it is in the signature
 * of another export. A file that names a module in a text, as scripts do that bundle it, uses the exports that are
 * among its words.
 */
export function deadExports(modules) {
  const used = usedNames(modules);
  const found = [];
  for (const [path, { text, exports }] of modules) {
    if (!path.startsWith("src/") || path in ENTRIES) continue;
    const names = used.get(path);
    for (const [name, { line, isType, from }] of exports) {
      if (names?.has(name) || names?.has("*")) continue;
      if (isType && from === null && mentions(text, name) > 1) continue;
      found.push(`${path}:${line}: nobody imports \`${name}\`; ${remedy(text, name, from)}`);
    }
  }
  return found;
}

const remedy = (text, name, from) =>
  from === null && mentions(text, name) > 1
    ? "do not export it"
    : from === null
      ? "delete it"
      : "do not export it again";

function usedNames(modules) {
  const used = new Map();
  const use = (path, name) => {
    if (!used.has(path)) used.set(path, new Set());
    used.get(path).add(name);
  };
  const byName = new Map();
  for (const path of [...modules.keys()].filter((each) => each.startsWith("src/")))
    byName.set(nameInText(path), [...(byName.get(nameInText(path)) ?? []), path]);
  for (const [path, { text, imports }] of modules) {
    const words = wordsOf(text);
    for (const { target, names, isReexport } of imports) {
      const module = modules.get(target);
      if (module === undefined) continue;
      const whole = () => (isReexport ? ["*"] : [...module.exports.keys()].filter((name) => words.has(name)));
      for (const name of names ?? whole()) use(target, name);
    }
    if (path.startsWith("src/")) continue;
    for (const [, named] of text.matchAll(/([\w-]+\/[\w.-]+)\.[jt]s\b/g))
      for (const target of byName.get(named) ?? [])
        for (const name of modules.get(target).exports.keys()) if (words.has(name)) use(target, name);
  }
  return used;
}

/** How a text names a module, without its ending: by its folder and its name. */
function nameInText(path) {
  return `${basename(dirname(path))}/${basename(path, ".ts")}`;
}

function wordsOf(text) {
  return new Set(text.match(/[\w$]+/g));
}

/** How many times a text has a name as a word. */
function mentions(text, name) {
  return text.match(/[\w$]+/g)?.filter((word) => word === name).length ?? 0;
}
