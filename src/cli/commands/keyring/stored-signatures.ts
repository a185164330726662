import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../../../config/config.js";
import { CountersignError } from "../../../error.js";
import { placing } from "../../../path-places.js";
import { isSignatureName } from "../../../trust/store.js";
import type { Warning } from "../../../warning.js";

/** The signatures in the folders of `signatures` in a configuration. */
export interface StoredSignatures {
  /** The paths of the PKCS#7 signatures, in all folders below these, too. */
  readonly paths: readonly string[];
  /** One for each folder without a signature of any type: the path may be wrong, or its volume not mounted. */
  readonly warnings: readonly Warning[];
}

/** Throws FILE_UNREADABLE, with the place in the configuration, if a folder cannot be listed. */
export function storedSignatures(config: Pick<Config, "signatures" | "pathPlaces">): StoredSignatures {
  const folders = placing(config, () => config.signatures.map((path) => ({ path, names: namesIn(path) })));
  return {
    paths: folders.flatMap(({ path, names }) =>
      names.filter((name) => name.endsWith(".p7s")).map((name) => join(path, name)),
    ),
    warnings: folders
      .filter(({ names }) => !names.some(isSignatureName))
      .map(({ path }) => warningOf(path, config.pathPlaces[path] ?? null)),
  };
}

/** The names of all files below a folder. Throws FILE_UNREADABLE. */
function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: "utf8" });
  } catch (cause) {
    throw new CountersignError("FILE_UNREADABLE", `cannot be listed: ${(cause as NodeJS.ErrnoException).code}`, {
      place: folder,
      remedy: "create the folder, or remove it from `signatures`",
      cause,
    });
  }
}

function warningOf(folder: string, place: string | null): Warning {
  return {
    code: "SIGNATURES_MISSING",
    message: `there is no signature in the folder \`${folder}\``,
    place,
    remedy: "correct the path, mount the volume, or remove the folder from `signatures`",
  };
}
