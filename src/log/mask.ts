/** The parts of a decision that values can be masked in. */
export type MaskedPart = "subject" | "current";

/** JSON pointers (RFC 6901) to values that the log leaves out, such as `/current/container/labels/team`. */
export class Mask {
  readonly #pointers: readonly { readonly text: string; readonly part: string; readonly path: readonly string[] }[];

  constructor(pointers: readonly string[]) {
    this.#pointers = pointers.map((text) => {
      const [part = "", ...path] = text.slice(1).split("/").map(unescaped);
      return { text, part, path };
    });
  }

  get isEmpty(): boolean {
    return this.#pointers.length === 0;
  }

  /** Whether this mask may leave out a field of a part, or something in the field. */
  touches(part: MaskedPart, field: string): boolean {
    return this.#pointers.some((pointer) => pointer.part === part && pointer.path[0] === field);
  }

  /**
   * Deletes the values from a part, which it changes; an element of an array becomes null. Returns the pointers of the
   * values that were there.
   */
  apply(part: MaskedPart, value: object): readonly string[] {
    return this.#pointers
      .filter((pointer) => pointer.part === part && remove(value, pointer.path))
      .map(({ text }) => text);
  }
}

function remove(value: object, path: readonly string[]): boolean {
  let at: unknown = value;
  for (const key of path.slice(0, -1)) at = isOwn(at, key) ? at[key] : null;
  const last = path.at(-1)!;
  if (!isOwn(at, last)) return false;
  if (Array.isArray(at)) at[Number(last)] = null;
  else delete at[last];
  return true;
}

function isOwn(value: unknown, key: string): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key);
}

function unescaped(token: string): string {
  return token.replaceAll("~1", "/").replaceAll("~0", "~");
}
