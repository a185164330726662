/** Names and aliases of modules, as modprobe(8) compares them. */
import { moduleNameOf } from "./module-btf.js";

/** A module's name with `_` for `-`, as the kernel has it. */
export function moduleName(text: string): string {
  return text.replaceAll("-", "_");
}

/** The names of those files that are modules. */
export function modulesOfFiles(paths: readonly string[]): readonly string[] {
  return paths.map(moduleNameOf).filter((name) => name !== null);
}

/** An alias or a pattern with `_` for `-` outside of brackets (alias_normalize() of kmod, shared/util.c). */
export function normalizedAlias(text: string): string {
  return text.replace(/\[[^\]]*\]|-/g, (part) => (part === "-" ? "_" : part));
}

/**
 * Whether a device's modalias matches a pattern of modules.alias, as fnmatch(3) without flags does: `*`, `?` and
 * `[a-f0-9]`. Takes time proportional to the product of the two lengths.
 */
export function matchesAlias(pattern: string, alias: string): boolean {
  let at = 0;
  let place = 0;
  // Where to go on if what follows the last `*` does not match
  let afterStar = -1;
  let retry = 0;
  while (place < alias.length) {
    if (pattern[at] === "*") {
      afterStar = ++at;
      retry = place;
      continue;
    }
    const length = at < pattern.length ? matchOne(pattern, at, alias[place]!) : 0;
    if (length > 0) {
      at += length;
      place += 1;
    } else if (afterStar >= 0) {
      at = afterStar;
      place = ++retry;
    } else return false;
  }
  while (pattern[at] === "*") at += 1;
  return at === pattern.length;
}

/** The length of the pattern's part at `at` if it matches the character; otherwise 0. */
function matchOne(pattern: string, at: number, character: string): number {
  const first = pattern[at]!;
  if (first === "?") return 1;
  const end = first === "[" ? pattern.indexOf("]", at + 2) : -1;
  if (end === -1) return first === character ? 1 : 0;
  const isNegated = pattern[at + 1] === "!";
  const members = pattern.slice(at + (isNegated ? 2 : 1), end);
  return isMember(members, character) === isNegated ? 0 : end + 1 - at;
}

function isMember(members: string, character: string): boolean {
  for (let at = 0; at < members.length; at += 1) {
    const to = members[at + 1] === "-" ? members[at + 2] : undefined;
    if (to === undefined) {
      if (members[at] === character) return true;
      continue;
    }
    if (members[at]! <= character && character <= to) return true;
    at += 2;
  }
  return false;
}

/** The characters of a pattern before its first wildcard. */
export function literalStart(pattern: string): string {
  return /^[^*?[]*/.exec(pattern)![0];
}
