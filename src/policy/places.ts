import type MagicString from "magic-string";
import { placeOf } from "./place.js";

interface File {
  readonly file: string;
  readonly text: MagicString;
  /** The line of the linked text that the file's first one is; its others follow. */
  readonly start: number;
}

/**
 * Where in a policy's own files a place in the linked text is. Trees and tokens are not kept for it, and column maps are made
 * when the first place is asked for: most policies never need one.
 */
export class Places {
  readonly #files: readonly File[];
  readonly #maps = new Map<File, number[][][]>();

  constructor(
    units: readonly { readonly source: { readonly file: string }; readonly text: MagicString }[],
    starts: readonly number[],
  ) {
    this.#files = units.map(({ source, text }, index) => ({ file: source.file, text, start: starts[index]! }));
  }

  /** `policies/tc.js:4:11`, or null for what the linker wrote itself. Lines and columns count from 1. */
  locate(line: number, column: number): string | null {
    const file = this.#files.findLast(({ start }) => start <= line);
    if (file === undefined) return null;
    const segment = this.#mapOf(file)[line - file.start]?.findLast(([generated]) => generated! <= column - 1);
    if (segment === undefined) return null;
    return placeOf(file.file, { line: segment[2]! + 1, column: segment[3]! + 1 });
  }

  #mapOf(file: File): number[][][] {
    let map = this.#maps.get(file);
    if (map === undefined) {
      map = file.text.generateDecodedMap({ hires: true }).mappings as number[][][];
      this.#maps.set(file, map);
    }
    return map;
  }
}
