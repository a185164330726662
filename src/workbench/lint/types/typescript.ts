import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { CountersignError } from "../../../error.js";
import { readText } from "../../../input.js";

/** One error that tsc printed. The file is relative to the folder of the project. */
export interface TypeDiagnostic {
  readonly file: string;
  /** Both count from 1; columns are UTF-16 code units. */
  readonly line: number;
  readonly column: number;
  /** Such as `TS2339`. */
  readonly code: string;
  readonly message: string;
}

const OLDEST = 5;
const TIMEOUT = 120_000;
const MAX_OUTPUT = 64 * 2 ** 20;
const MAX_PACKAGE = 2 ** 20;
const REMEDY = "install it beside your policies: `npm install --save-dev typescript`";

/**
 * Runs `tsc` over a project. `near` is the folder from which the user's own package `typescript` is looked up; if there
 * is none, from the working directory. Throws USAGE if it is missing, too old or fails.
 */
export function runTypeScript(folder: string, near: string): TypeDiagnostic[] {
  const tsc = typescriptFrom([near, process.cwd()]);
  const run = spawnSync(process.execPath, [tsc, "--noEmit", "--pretty", "false", "-p", "tsconfig.json"], {
    cwd: folder,
    encoding: "utf8",
    timeout: TIMEOUT,
    maxBuffer: MAX_OUTPUT,
  });
  const found = diagnosticsOf(run.stdout ?? "");
  if (run.status === 0 || found.length > 0) return found;
  const why = run.error?.message ?? `${run.stdout}${run.stderr}`.split("\n")[0];
  throw new CountersignError("USAGE", `\`${tsc}\` failed: ${why}`, { remedy: "check that this tsc runs by itself" });
}

/** The errors in what tsc prints with `--pretty false`. A line that is indented belongs to the error before it. */
export function diagnosticsOf(output: string): TypeDiagnostic[] {
  return Array.from(
    output.matchAll(/^(\S.*?)\((\d+),(\d+)\): error (TS\d+): (.*)$/gm),
    ([, file, line, column, code, message]) => {
      return { file: file!, line: Number(line), column: Number(column), code: code!, message: message!.trim() };
    },
  );
}

/** The path of tsc. */
function typescriptFrom(folders: readonly string[]): string {
  for (const folder of folders) {
    const manifest = manifestFrom(folder);
    if (manifest === null) continue;
    const { version, bin } = JSON.parse(readText(manifest, MAX_PACKAGE)) as { version: string; bin: { tsc: string } };
    if (Number.parseInt(version, 10) >= OLDEST) return join(dirname(manifest), bin.tsc);
    throw new CountersignError("USAGE", `--types needs TypeScript ${OLDEST} or later, and ${version} is installed`, {
      place: manifest,
      remedy: REMEDY,
    });
  }
  throw new CountersignError("USAGE", "--types needs the package `typescript`, which is not installed", {
    remedy: REMEDY,
  });
}

function manifestFrom(folder: string): string | null {
  try {
    return createRequire(join(folder, "policy.js")).resolve("typescript/package.json");
  } catch {
    return null;
  }
}
