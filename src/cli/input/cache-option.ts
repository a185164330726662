import { Option } from "commander";
import { CacheFolder } from "../../cache-folder.js";

/** The option `--no-cache`. Without it, `cache` is true. */
export interface CacheOption {
  readonly cache: boolean;
}

export function noCacheOption(): Option {
  return new Option("--no-cache", "neither use nor keep results of earlier runs");
}

/** Null if there is no folder that only this user can write. Save it once the result is printed. */
export function openCache({ cache }: CacheOption = { cache: true }): CacheFolder | null {
  return cache ? CacheFolder.open() : null;
}
