import { filePrograms } from "./identify/file-programs.js";
import type { KnownSource } from "./identify/known-source.js";
import { type KnownList, listedPrograms } from "./identify/listed-programs.js";
import { recordedPrograms } from "./identify/recorded-programs.js";
import { type KnownStatement, statedPrograms } from "./identify/stated-programs.js";
import { installedFiles } from "./packages/dpkg.js";

/** Where programs are known from besides the files of processes. */
export interface KnownPlaces {
  readonly statements: Iterable<KnownStatement>;
  readonly lists: Iterable<KnownList>;
  /** The folder of `log.programs`; null for none. */
  readonly recorded: string | null;
  /** Paths. */
  readonly files: readonly string[];
  /** Called with each file of installed packages, then with null; null to leave packages out. */
  readonly packages: ((file: string | null) => void) | null;
}

/** The sources throw FILE_UNREADABLE and FILE_TOO_LARGE if packages are asked for and have no database. */
export function knownSources(places: KnownPlaces): readonly KnownSource[] {
  const { statements, lists, recorded, files, packages } = places;
  return [
    statedPrograms(statements),
    listedPrograms(lists),
    ...(recorded === null ? [] : [recordedPrograms(recorded)]),
    filePrograms(() => files.map((path) => ({ path }))),
    ...(packages === null ? [] : [filePrograms(() => announced(packages))]),
  ];
}

function* announced(announce: (file: string | null) => void) {
  try {
    for (const file of installedFiles()) {
      announce(file.path);
      yield file;
    }
  } finally {
    announce(null);
  }
}
