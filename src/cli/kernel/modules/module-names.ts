import { CountersignError } from "../../../error.js";

/** A line of a file of module names. */
interface ModuleName {
  /** A module's name; or, if it contains a slash, the path of a module or of a folder of modules. */
  readonly text: string;
  readonly isPath: boolean;
}

/** What the kernel allows in names, and more: `-` for `_`. MODULE_NAME_LEN is 64 - 8 (include/linux/moduleparam.h). */
const NAME = /^[\w.+-]{1,56}$/;

/**
 * Reads a file of module names: one a line, or a path, and comments from `#` on. Throws SEAL_MODULES_MALFORMED with the
 * line as its place.
 */
export function parseModuleNames(text: string, file: string): readonly ModuleName[] {
  return text.split("\n").flatMap((line, index): readonly ModuleName[] => {
    const word = line.replace(/#.*/, "").trim();
    if (word === "") return [];
    const isPath = word.includes("/");
    if (isPath || NAME.test(word)) return [{ text: word, isPath }];
    throw new CountersignError("SEAL_MODULES_MALFORMED", `\`${word.slice(0, 60)}\` is no name of a module`, {
      place: `${file}:${index + 1}`,
      remedy: "write one name a line, such as `ext4`, or a path with a slash",
    });
  });
}

/** A file of names as {@link parseModuleNames} reads it, each with a comment; the same names give the same bytes. */
export function writeModuleNames(title: string, names: readonly { readonly name: string; readonly why: string }[]) {
  const width = Math.max(0, ...names.map(({ name }) => name.length)) + 2;
  const lines = names.map(({ name, why }) => (why === "" ? name : `${name.padEnd(width)}# ${why}`));
  return `${[`# ${title}`, ...lines].join("\n")}\n`;
}
