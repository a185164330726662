/**
 * Reads a header of C as far as guard/interface.h goes: constants, one enum, and structs and unions of __u8, __s32,
 * __u32 and __u64, arrays of these, other structs, and unnamed structs.
 */
export class CHeader {
  readonly #text: string;
  readonly #structs = new Map<string, CStruct>();

  constructor(text: string) {
    this.#text = text.replace(/\/\*[\s\S]*?\*\//g, "");
    for (const [, kind, name] of this.#text.matchAll(/^(struct|union) (\w+) \{/gm)) {
      const body = bodyAfter(this.#text, `${kind} ${name} {`);
      this.#structs.set(name!, this.#structOf(body, kind === "union"));
    }
  }

  struct(name: string): CStruct {
    const found = this.#structs.get(name);
    if (found === undefined) throw new Error(`there is no struct ${name}`);
    return found;
  }

  /** The value of `#define NAME value`: a number or a string. */
  constant(name: string): number | string {
    const [, value = ""] = new RegExp(`^#define ${name} (\\S+)`, "m").exec(this.#text) ?? [];
    return value.startsWith('"') ? value.slice(1, -1) : Number(value);
  }

  /** The enumerators of an enum with their values. */
  enumerators(name: string): ReadonlyMap<string, number> {
    const found = new Map<string, number>();
    let next = 0;
    for (const [, enumerator, value] of bodyAfter(this.#text, `enum ${name} {`).matchAll(/(\w+)(?: = (\d+))?/g)) {
      next = value === undefined ? next : Number(value);
      found.set(enumerator!, next);
      next += 1;
    }
    return found;
  }

  #structOf(body: string, isUnion: boolean): CStruct {
    const offsets: Record<string, number> = {};
    let [end, align] = [0, 1];
    let rest = body;
    while (rest.trim() !== "") {
      const [whole, type, inner, name, count] =
        /^\s*(?:(__u8|__s32|__u32|__u64|(?:struct|union) \w+)|struct \{([^}]*)\})\s+(\w+)(?:\[(\w+)\])?;/.exec(rest) ??
        [];
      if (whole === undefined) throw new Error(`cannot read ${rest}`);
      const [size, own] = inner === undefined ? this.#sizeOf(type!) : sizeAndAlign(this.#structOf(inner, false));
      const length = count === undefined ? 1 : this.#number(count);
      const at = isUnion ? 0 : Math.ceil(end / own) * own;
      offsets[name!] = at;
      end = Math.max(end, at + size * length);
      align = Math.max(align, own);
      rest = rest.slice(whole.length);
    }
    return { offsets, size: Math.ceil(end / align) * align, align };
  }

  #sizeOf(type: string): readonly [size: number, align: number] {
    const known = { __u8: 1, __s32: 4, __u32: 4, __u64: 8 }[type];
    return known === undefined ? sizeAndAlign(this.struct(type.split(" ")[1]!)) : [known, known];
  }

  #number(text: string): number {
    if (/^\d+$/.test(text)) return Number(text);
    return new RegExp(`#define ${text} `).test(this.#text)
      ? Number(this.constant(text))
      : Number(new RegExp(`\\b${text} = (\\d+)`).exec(this.#text)?.[1]);
  }
}

export interface CStruct {
  /** In bytes, by member. */
  readonly offsets: Readonly<Record<string, number>>;
  readonly size: number;
  readonly align: number;
}

function sizeAndAlign({ size, align }: CStruct): readonly [number, number] {
  return [size, align];
}

/** The text between a brace and the one that closes it. */
function bodyAfter(text: string, start: string): string {
  const from = text.indexOf(start) + start.length;
  let depth = 1;
  let at = from;
  for (; depth > 0; at++) depth += text[at] === "{" ? 1 : text[at] === "}" ? -1 : 0;
  return text.slice(from, at - 1);
}
