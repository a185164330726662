import { DEFAULT_CONFIG } from "../../config/default-config.js";
import { packageFile } from "./package-file.js";

/** What `init --editor` writes for an editor: settings, and copies of the package's types and schema. */

/** The folder of the copies. They are relative to the project, so that it can be moved and kept in a repository. */
const FOLDER = ".countersign";
const TYPES = `${FOLDER}/countersign.d.ts`;
const SCHEMA = `${FOLDER}/config.schema.json`;
const SETTINGS = "jsconfig.json";

/** The first line of a configuration for editors with yaml-language-server, such as VS Code, Neovim and Helix. */
export const SCHEMA_LINE = `# yaml-language-server: $schema=${SCHEMA}`;

/** The comment by which an editor knows the parameters of a function for hook `bpf_prog_load`. */
const HOOK_TYPE = '/** @type {import("countersign").BpfProgLoad} */';

/**
 * Settings of TypeScript, which editors read for JavaScript too. There is no `lib` of browsers and no types of node,
 * since the sandbox has neither. TypeScript policies are checked as the sandbox erases their types.
 */
const JSCONFIG = {
  compilerOptions: {
    checkJs: true,
    strict: true,
    target: "es2023",
    lib: ["es2023"],
    types: [],
    module: "esnext",
    moduleResolution: "bundler",
    moduleDetection: "force",
    erasableSyntaxOnly: true,
    verbatimModuleSyntax: true,
    allowImportingTsExtensions: true,
    noEmit: true,
    paths: { countersign: [`./${TYPES}`] },
  },
  include: ["policies", "countersign-maps.d.ts"],
};

/** The text of a file of the project; null if it has none of this name. */
export type ReadFile = (name: string) => string | null;

/** The files by name. The project's own settings stay as they are. */
export function editorFiles(read: ReadFile): Record<string, { contents: string | Uint8Array }> {
  const contents = `${JSON.stringify(JSCONFIG, null, 2)}\n`;
  return {
    ...(settingsOf(read) === null ? { [SETTINGS]: { contents } } : {}),
    [TYPES]: { contents: packageFile("types/countersign.d.ts") },
    [SCHEMA]: { contents: packageFile("schema/config.schema.json") },
  };
}

function settingsOf(read: ReadFile): string | null {
  return read(SETTINGS) ?? read("tsconfig.json");
}

/** What a person still has to change in the files of the project, one line each. */
export function editorAdvice(read: ReadFile): string[] {
  const advice = [`put this line above the function of each hook, with its type: ${HOOK_TYPE}`];
  if (read(DEFAULT_CONFIG)?.includes("$schema=") === false)
    advice.push(`make this the first line of ${DEFAULT_CONFIG}: ${SCHEMA_LINE}`);
  if (settingsOf(read)?.includes(TYPES) === false) {
    const paths = JSON.stringify(JSCONFIG.compilerOptions.paths);
    advice.push(
      `add to the compilerOptions of your jsconfig.json or tsconfig.json: "checkJs": true, "paths": ${paths}`,
    );
  }
  return advice;
}

/** A policy with the type of its hook, which must be a function `bpf_prog_load`. */
export function withHookType(policy: Uint8Array): string {
  return new TextDecoder().decode(policy).replace(/^(?=export function bpf_prog_load\()/m, `${HOOK_TYPE}\n`);
}
