/** Where the value of a symbol is: in a root, which is a subject, `current` or a helper's answer, under keys. */
export interface SymbolPath {
  readonly root: string;
  readonly keys: readonly string[];
  /** `?` for the flag that it is null, `!` for the flag that it exists. */
  readonly mark: "" | "?" | "!";
}

const KEY = /\.([A-Za-z_]\w*)|\[("(?:[^"\\]|\\.)*")\]/y;
const ROOT = /^[a-z_]+/;

/**
 * Takes the name of a symbol apart, as the explorer in the sandbox makes it. `roots` are names that it may begin with.
 */
export function symbolPath(name: string, roots: Iterable<string>): SymbolPath {
  let root = ROOT.exec(name)?.[0] ?? "";
  for (const one of roots) if (name.startsWith(one) && one.length > root.length) root = one;
  const mark = name.endsWith("?") ? "?" : name.endsWith("!") ? "!" : "";
  const end = name.length - mark.length;
  const keys: string[] = [];
  for (let at = root.length; at < end; at = KEY.lastIndex) {
    KEY.lastIndex = at;
    const found = KEY.exec(name);
    if (found === null) throw new TypeError(`\`${name}\` is no name of a symbol`);
    keys.push(found[1] ?? (JSON.parse(found[2]!) as string));
  }
  return { root, keys, mark };
}
