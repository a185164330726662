import { extname } from "node:path";
import type { Argument, Option } from "commander";

/** What a shell offers as a value of an option or an argument. */
export type Values =
  | { readonly kind: "words"; readonly words: readonly string[] }
  /** `extensions` are without a dot; none of them: files of any name. */
  | { readonly kind: "files"; readonly extensions: readonly string[] }
  | { readonly kind: "folders" }
  /** A program and its arguments. */
  | { readonly kind: "program" }
  /** A text that cannot be foreseen, such as a number or a name. */
  | { readonly kind: "text" };

/** What a placeholder in `--help` stands for. Any other stands for a text. */
const PLACEHOLDERS: Readonly<Record<string, Values["kind"]>> = {
  file: "files",
  path: "files",
  listing: "files",
  log: "files",
  "id|file": "files",
  dir: "folders",
  folder: "folders",
  command: "program",
};

/** The extensions of the files that an option takes. Other options have those of their default, or any. */
export const EXTENSIONS: Readonly<Record<string, readonly string[]>> = {
  "--as": ["json"],
  "--config": ["yaml", "yml"],
  "--log": ["jsonl"],
  "--pkcs11-module": ["so"],
  "--pkcs12": ["p12", "pfx"],
  "--sigstore-root": ["json"],
};

export function valuesOfOption(option: Option): Values {
  const [, placeholder = ""] = /[<[]([^>\]]*)[>\]]/.exec(option.flags) ?? [];
  return valuesOf(option.argChoices, placeholder, EXTENSIONS[option.long ?? ""] ?? extensionsOf(option.defaultValue));
}

export function valuesOfArgument(argument: Argument): Values {
  return valuesOf(argument.argChoices, argument.name(), extensionsOf(argument.defaultValue));
}

function valuesOf(choices: readonly string[] | undefined, placeholder: string, extensions: readonly string[]): Values {
  if (choices !== undefined) return { kind: "words", words: choices };
  const name = placeholder.replace(/\.\.\.$/, "");
  const kind = Object.hasOwn(PLACEHOLDERS, name) ? PLACEHOLDERS[name] : "text";
  if (kind === "files") return { kind, extensions };
  return { kind: kind ?? "text" } as Values;
}

/** The extensions of files like the default value. `.yaml` files may be written `.yml`. */
function extensionsOf(value: unknown): readonly string[] {
  const extension = typeof value === "string" ? extname(value).slice(1) : "";
  if (extension === "yaml") return ["yaml", "yml"];
  return extension === "" ? [] : [extension];
}
