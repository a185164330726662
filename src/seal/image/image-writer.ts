/** Part of an image, as struct range of image.h. */
export interface Range {
  readonly offset: number;
  readonly size: number;
}

/** Collects the parts of an image, each at a multiple of 8 bytes. The first part is the header. */
export class ImageWriter {
  readonly #parts: Buffer[] = [];
  #size = 0;

  /** Adds bytes; an empty part has the range 0, 0. */
  add(bytes: Uint8Array): Range {
    if (bytes.length === 0) return { offset: 0, size: 0 };
    const offset = this.#size;
    const padding = -bytes.length & 7;
    this.#parts.push(Buffer.from(bytes), Buffer.alloc(padding));
    this.#size += bytes.length + padding;
    return { offset, size: bytes.length };
  }

  words(words: readonly number[]): Range {
    return this.add(new Uint8Array(Uint32Array.from(words).buffer));
  }

  get size(): number {
    return this.#size;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }
}

export function putRange(struct: Buffer, at: number, { offset, size }: Range): void {
  struct.writeUInt32LE(offset, at);
  struct.writeUInt32LE(size, at + 4);
}

/** Writes numbers into the fields of a struct. */
export function putFields<Name extends string>(
  struct: Buffer,
  fields: Readonly<Record<Name, number>>,
  values: Readonly<Record<Name, number>>,
): void {
  for (const name of Object.keys(fields) as Name[]) struct.writeUInt32LE(values[name] >>> 0, fields[name]);
}
