import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve, sep } from "node:path";
import { oneLine } from "../../../error.js";
import { packagePath } from "../../../package-path.js";
import type { Unit } from "../../../policy/units/units.js";
import type { Finding } from "../model/finding.js";
import { type Annotated, annotated } from "./annotation.js";
import { runTypeScript } from "./typescript.js";

/** Options with which policies are checked: strict about null, and without the types of any other environment. */
const OPTIONS = {
  ...{ allowJs: true, checkJs: true, noEmit: true, strict: true, noImplicitAny: false, skipLibCheck: true },
  ...{ target: "es2023", lib: ["es2023"], types: [], module: "esnext", moduleResolution: "bundler" },
  ...{ allowImportingTsExtensions: true, verbatimModuleSyntax: true },
};

/**
 * Checks the types of policies with the user's own TypeScript. `policies` has the files of each policy, its own last;
 * `declarations` are those of the maps (map-declarations.ts), or empty.
 * The check runs over a temporary copy, in which each hook has the type of its name. Throws USAGE if there is no
 * TypeScript, or a version before 5.
 */
export function typeFindings(policies: readonly (readonly Unit[])[], declarations: string): Finding[] {
  const files = new Map<string, Annotated>();
  for (const units of policies)
    for (const unit of units) {
      const own = annotated(unit, unit === units.at(-1));
      // A file that is a policy of its own and imported by another one is checked as a policy.
      if (unit === units.at(-1) || !files.has(unit.source.file)) files.set(unit.source.file, own);
    }
  const names = [...files.keys()];
  const base = commonFolder(names.map((name) => dirname(resolve(name))));
  const folder = mkdtempSync(join(tmpdir(), "countersign-types-"));
  try {
    const copies = new Map<string, string>();
    for (const [name, { text }] of files) {
      const copy = relative(base, resolve(name)).split(sep).join("/");
      copies.set(copy, name);
      mkdirSync(dirname(join(folder, copy)), { recursive: true });
      writeFileSync(join(folder, copy), text);
    }
    const compilerOptions = { ...OPTIONS, paths: { countersign: [packagePath("types/countersign.d.ts")] } };
    const checked = [...copies.keys()];
    if (declarations !== "") {
      // in a folder of its own, so that no policy can have its name
      const own = mkdtempSync(join(folder, "maps-"));
      writeFileSync(join(own, "maps.d.ts"), declarations);
      checked.push(relative(folder, join(own, "maps.d.ts")));
    }
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: checked }));
    return runTypeScript(folder, dirname(resolve(names[0] ?? "."))).flatMap(({ file, line, column, code, message }) => {
      const name = copies.get(file);
      if (name === undefined) return [];
      const place = files.get(name)!.original({ line, column });
      return [{ code, severity: "error", message: oneLine(message), file: name, ...place, remedy: null, fix: null }];
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function commonFolder(folders: readonly string[]): string {
  const [first = ".", ...others] = folders;
  let folder = first;
  while (!others.every((other) => other === folder || other.startsWith(folder.endsWith(sep) ? folder : folder + sep))) {
    const above = dirname(folder);
    if (above === folder) break;
    folder = above;
  }
  return folder;
}
