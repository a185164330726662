/** What a tool generates without an object, as the kernel shows it after translation. */
export interface Form {
  /** The tool that generates such programs. */
  readonly tool: "systemd" | "runc" | "crun" | "iproute2";
  /** What they are for, such as `device policy`. */
  readonly purpose: string;
  /** The program's type, and the only attach type that it has where it is attached. */
  readonly type: string;
  readonly attachType: string;
  /** The first lines, in the syntax of {@link FormPattern}. */
  readonly start: readonly string[];
  /** Lines that follow, any number of each in any order. */
  readonly blocks: readonly (readonly string[])[];
  /** The last lines: one of these. */
  readonly ends: readonly (readonly string[])[];
}

/** Offsets in structures of the kernel to which it translates accesses to a program's context; null if not known. */
export type ContextOffsets = Readonly<Record<ContextField, number | null>>;
export type ContextField = "PROTOCOL" | "LENGTH" | "BOUND_DEVICE";

/** What a word of a pattern stands for, besides {@link ContextField}. Numbers are in hex. */
const WORDS: Readonly<Record<string, string>> = {
  /** Any number. */
  NUMBER: "-?0x[0-9a-f]+",
  /** BPF_DEVCG_DEV_BLOCK or BPF_DEVCG_DEV_CHAR of linux/bpf.h. */
  DEVICE_TYPE: "0x[12]",
  /** Of BPF_DEVCG_ACC_MKNOD, _READ and _WRITE. */
  ACCESS: "0x[0-7]",
  /** A decimal number. */
  COUNT: "[0-9]+",
  /** A distance that is not compared: the line says where the jump goes. */
  DISTANCE: "[+-]0x[0-9a-f]+",
};

/**
 * Recognises one form in the lines of a program ({@link formLines}). A pattern has the whole text of each line, with
 * the words of {@link WORDS} and the offsets of this kernel for those of ContextField.
 */
export class FormPattern {
  readonly #start: RegExp | null;
  readonly #blocks: readonly RegExp[];
  readonly #ends: readonly RegExp[];

  constructor(
    readonly form: Form,
    offsets: ContextOffsets,
  ) {
    const compiled = (lines: readonly string[], end = "") => patternOf(lines, offsets, end);
    this.#start = compiled(form.start);
    this.#blocks = form.blocks.flatMap((lines) => compiled(lines) ?? []);
    this.#ends = form.ends.flatMap((lines) => compiled(lines, "$") ?? []);
  }

  /** `text` is the lines with a newline after each. */
  matches(text: string): boolean {
    let at = this.#start === null ? null : endOf(this.#start, text, 0);
    while (at !== null) {
      const from: number = at;
      if (this.#ends.some((end) => endOf(end, text, from) !== null)) return true;
      at = this.#blocks.reduce<number | null>((found, block) => found ?? endOf(block, text, from), null);
    }
    return false;
  }
}

/** Null if the lines have a field whose offset is not known. */
function patternOf(lines: readonly string[], offsets: ContextOffsets, end: string): RegExp | null {
  let isKnown = true;
  const source = lines.map((line) =>
    line.replace(/[A-Z_]{2,}|[^\w\s]/g, (word) => {
      if (!/^[A-Z]/.test(word)) return `\\${word}`;
      const known = WORDS[word];
      if (known !== undefined) return known;
      const offset = offsets[word as ContextField];
      isKnown &&= offset !== null;
      return `0x${(offset ?? 0).toString(16)}`;
    }),
  );
  return isKnown ? new RegExp(`${source.map((line) => `${line}\n`).join("")}${end}`, "y") : null;
}

/** Where a sticky pattern ends that begins at an index; null if it does not match there. */
function endOf(pattern: RegExp, text: string, from: number): number | null {
  pattern.lastIndex = from;
  return pattern.test(text) ? pattern.lastIndex : null;
}
