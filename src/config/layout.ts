import { EVENT_ID, type Event, getScalarValue, SCALAR_STYLE, type ScalarEvent, YAMLException } from "js-yaml";
import { quoted } from "./quoted.js";

/** The place of a value in the text of a YAML document. Offsets are in UTF-16 code units. */
export interface Written {
  /**
   * Offset of the first character: the quote of a quoted string. For an omitted value, the offset of the preceding
   * token.
   */
  readonly offset: number;
  /** Null for a list and for a mapping. */
  readonly scalar: ScalarEvent | null;
  readonly entries: ReadonlyMap<string, Entry> | null;
  readonly items: readonly Written[] | null;
  /** Number of values in this value, itself included, with all aliases expanded. */
  readonly size: number;
}

interface Entry {
  readonly key: number;
  /** Start and end of the key's text, without quotes. */
  readonly keyText: readonly [start: number, end: number];
  readonly value: Written;
}

/** Maximum number of values that all aliases of a document may repeat. */
const MAX_REPEATED = 10_000;

/**
 * Reads the places of all values from the parser's events. Keys become the strings that are written: `0` is the key
 * "0". Throws a YAMLException for an empty text, a second document, a key that is not a string or not unique, and for
 * an alias that contains itself or repeats too many values.
 */
export function readLayout(text: string, events: readonly Event[]): Written {
  return new Layout(text, events).read();
}

class Layout {
  #next = 0;
  /** Values by their anchors; null while the value is being read. */
  readonly #anchored = new Map<string, Written | null>();
  #repeated = 0;

  constructor(
    private readonly text: string,
    private readonly events: readonly Event[],
  ) {}

  read(): Written {
    if (this.events.length === 0) return this.#reject(0, "is empty");
    this.#next = 1;
    const root = this.#value(0);
    const isLast = this.events[this.#next + 1] === undefined;
    if (isLast) return root;
    return this.#reject(
      this.#offsetOf(this.events[this.#next + 2]!, this.text.length),
      "a second document begins here",
    );
  }

  /**
   * Reads the next value. `before` is the offset of the preceding token, which becomes the place of an omitted value.
   */
  #value(before: number): Written {
    const event = this.events[this.#next++]!;
    const offset = this.#offsetOf(event, before);
    if (event.type === EVENT_ID.ALIAS) return this.#repeat(event.anchorStart, event.anchorEnd);
    const anchor = "anchorStart" in event ? this.text.slice(event.anchorStart, event.anchorEnd) : "";
    if (anchor !== "") this.#anchored.set(anchor, null);
    const value = this.#collection(event, offset);
    if (anchor !== "") this.#anchored.set(anchor, value);
    return value;
  }

  #collection(event: Event, offset: number): Written {
    if (event.type === EVENT_ID.MAPPING) return this.#mapping(offset);
    if (event.type === EVENT_ID.SEQUENCE) return this.#list(offset);
    return { offset, scalar: event as ScalarEvent, entries: null, items: null, size: 1 };
  }

  #list(offset: number): Written {
    const items: Written[] = [];
    let size = 1;
    let before = offset;
    while (this.#hasMore()) {
      const item = this.#value(before);
      items.push(item);
      size += item.size;
      before = item.offset;
    }
    return { offset, scalar: null, entries: null, items, size };
  }

  #mapping(offset: number): Written {
    const entries = new Map<string, Entry>();
    let size = 1;
    while (this.#hasMore()) {
      const event = this.events[this.#next++]!;
      const key = this.#offsetOf(event, offset);
      const name = this.#nameOf(event, key);
      if (entries.has(name)) this.#reject(key, `the key ${quoted(name)} is given twice`);
      const { valueStart, valueEnd } = event as ScalarEvent;
      const colon = this.text.indexOf(":", valueEnd);
      const value = this.#value(colon === -1 ? key : colon + 1);
      size += value.size;
      entries.set(name, { key, keyText: [valueStart, valueEnd], value });
    }
    return { offset, scalar: null, entries, items: null, size };
  }

  /** Whether the current collection has another value. Consumes its end event otherwise. */
  #hasMore(): boolean {
    if (this.events[this.#next]!.type !== EVENT_ID.POP) return true;
    this.#next += 1;
    return false;
  }

  #nameOf(event: Event, offset: number): string {
    if (event.type !== EVENT_ID.SCALAR || event.valueStart === -1 || event.tagStart !== -1)
      return this.#reject(offset, "all keys must be strings");
    // The parser may convert a plain scalar to a number. Marking it as quoted keeps it a string.
    if (event.style === SCALAR_STYLE.PLAIN && event.fast) event.style = SCALAR_STYLE.DOUBLE_QUOTED;
    return getScalarValue(this.text, event);
  }

  /** The value of an alias. */
  #repeat(start: number, end: number): Written {
    const offset = start - 1;
    const name = this.text.slice(start, end);
    const value = this.#anchored.get(name);
    if (value === undefined) return this.#reject(offset, `unidentified alias "${name}"`);
    if (value === null) return this.#reject(offset, `the alias "${name}" contains itself`);
    this.#repeated += value.size;
    if (this.#repeated > MAX_REPEATED) return this.#reject(offset, `aliases repeat more than ${MAX_REPEATED} values`);
    return { ...value, offset };
  }

  #offsetOf(event: Event, otherwise: number): number {
    switch (event.type) {
      case EVENT_ID.MAPPING:
      case EVENT_ID.SEQUENCE:
        return event.start;
      case EVENT_ID.SCALAR:
        if (event.valueStart === -1) return otherwise;
        if (QUOTED.has(event.style)) return event.valueStart - 1;
        if (event.style === SCALAR_STYLE.PLAIN) return event.valueStart;
        // For a block, `valueStart` is the start of the line after its header.
        return this.text.indexOf(event.style === SCALAR_STYLE.LITERAL_BLOCK ? "|" : ">", otherwise);
      case EVENT_ID.ALIAS:
        return event.anchorStart - 1;
      default:
        return otherwise;
    }
  }

  #reject(offset: number, message: string): never {
    return YAMLException.throwAt(this.text, offset, message);
  }
}

const QUOTED: ReadonlySet<number> = new Set([SCALAR_STYLE.SINGLE_QUOTED, SCALAR_STYLE.DOUBLE_QUOTED]);
