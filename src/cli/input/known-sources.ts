import { realpathSync } from "node:fs";
import { type KnownPlaces, knownSources } from "../../loaded/known-sources.js";
import { objectFiles } from "../files/object-files.js";
import { counter } from "../output/progress.js";

/** Where the user says that programs are known from. */
export interface KnownOptions {
  readonly config?: string;
  readonly known?: readonly string[];
  readonly packages?: true;
}

/**
 * The sources of known programs. Throws what reading the configuration and the names of files throws; the sources throw
 * FILE_UNREADABLE if there is no database of packages.
 */
export async function sourcesOf({ config, known = [], packages }: KnownOptions): Promise<KnownSources> {
  const files = objectFiles(known).map(({ path }) => realpathSync(path));
  const configured = config === undefined ? NOTHING : await configuredPlaces(config);
  return knownSources({ ...configured, files, packages: packages === true ? await countedFiles() : null });
}

type KnownSources = ReturnType<typeof knownSources>;
type Configured = Pick<KnownPlaces, "statements" | "lists" | "recorded">;

const NOTHING: Configured = { statements: [], lists: [], recorded: null };

async function configuredPlaces(file: string): Promise<Configured> {
  const [{ readConfig }, { readMapFile }, { StatementStore }] = await Promise.all([
    import("../../config/config.js"),
    import("../../config/mapfile.js"),
    import("../../engine/statements/statement-store.js"),
  ]);
  const config = readConfig(file, "check");
  const lists = config.maps.flatMap(({ file: list }) => {
    return list === null ? [] : [{ file: list, entries: readMapFile(list) }];
  });
  // the engine warns of the statements that it rejects
  const { all: statements } = StatementStore.ofConfiguration(config);
  return { statements, lists, recorded: config.log?.programs?.folder ?? null };
}

async function countedFiles(): Promise<(file: string | null) => void> {
  const shown = await counter("files of packages");
  return (file) => (file === null ? shown.stop() : shown.step(file));
}
