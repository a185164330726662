/** Symbols and sections of an object as readelf (binutils) prints them. */
import { execFileSync } from "node:child_process";

export interface ElfTables {
  /** By name: where it is (null for an undefined one) and its size in bytes. */
  readonly symbols: ReadonlyMap<string, { readonly section: string | null; readonly size: number }>;
  /** Sizes in bytes by name. */
  readonly sections: ReadonlyMap<string, number>;
}

export function elfTables(path: string): ElfTables {
  const text = execFileSync("readelf", ["-SsW", path], { encoding: "utf8", maxBuffer: 1 << 28 });
  const names = new Map<string, string>();
  const sections = new Map<string, number>();
  for (const [, index, name, size] of text.matchAll(
    /^ {2}\[ *(\d+)\] (\S+) +[A-Z_]+ +[0-9a-f]{16} [0-9a-f]+ ([0-9a-f]+) /gm,
  )) {
    names.set(index as string, name as string);
    sections.set(name as string, Number.parseInt(size as string, 16));
  }
  const symbols = new Map<string, { section: string | null; size: number }>();
  for (const [, size, index, name] of text.matchAll(/^ *\d+: [0-9a-f]{16} +(\S+) \w+ +\w+ +\w+ +(\w+) (\S+)$/gm))
    symbols.set(name as string, { section: names.get(index as string) ?? null, size: Number(size) });
  return { symbols, sections };
}
