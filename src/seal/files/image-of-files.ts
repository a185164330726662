import type { ImageOptions } from "../image/image.js";
import { DIGEST_SIZE } from "../list/list-entry.js";
import { type FileKind, type FileList, MODULES_BY_TICKET, RULES } from "./file-list-layout.js";

/** Where the guard has the digests of a kind of files, and the programs that only serve this kind. */
interface KindRow {
  readonly map: string;
  readonly count: string;
  readonly programs: readonly string[];
}

const KINDS: Readonly<Record<FileKind, KindRow>> = {
  modules: { map: "guard_modules", count: "guard_module_count", programs: ["guard_load_data"] },
  executables: { map: "guard_execs", count: "guard_executable_count", programs: ["guard_exec", "guard_mmap"] },
};

/** What the image of a guard has of a list of files. Programs without a rule are left out. */
export function imageOfFiles(
  files: FileList | null,
): Required<Pick<ImageOptions, "settings" | "contents" | "without">> {
  const settings: Record<string, number> = {
    guard_file_rules: files?.modulesByTicket === true ? MODULES_BY_TICKET : 0,
  };
  const contents: Record<string, Uint8Array> = {};
  const without: string[] = [];
  for (const [kind, { map, count, programs }] of Object.entries(KINDS) as [FileKind, KindRow][]) {
    const digests = files?.digests[kind] ?? null;
    if (digests === null) {
      without.push(...programs);
      continue;
    }
    settings.guard_file_rules! |= RULES[kind];
    settings[count] = digests.length / DIGEST_SIZE;
    contents[map] = digests;
  }
  return { settings, contents, without };
}
