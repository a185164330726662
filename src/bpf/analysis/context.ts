import type { ContextField, ContextRow, WritableField } from "../tables/program-types.js";
import { ANY_OFFSET, FROM_ANY_CONTEXT, GIVEN_MEMORY, GIVEN_OBJECT, KIND } from "./values/kinds.js";
import type { Values } from "./values/values.js";

const KINDS: Readonly<Record<ContextField["kind"], number>> = {
  packet: KIND.PACKET,
  packet_end: KIND.PACKET_END,
  socket: KIND.SOCKET | KIND.NUMBER,
  kernel: GIVEN_MEMORY,
  flow_keys: KIND.OPTION,
  option: KIND.OPTION,
};

export const NO_FIELDS: readonly WritableField[] = [];

/** The context of a program: the values of loads from it, and the fields that a store changes. */
export class Context {
  readonly #otherwise: number;
  readonly #anywhere: number;

  constructor(
    readonly row: ContextRow,
    readonly values: Values,
  ) {
    const kinds = {
      number: KIND.NUMBER,
      kernel: KIND.NUMBER | GIVEN_OBJECT,
      iterated: KIND.NUMBER | GIVEN_OBJECT | KIND.LENT,
      buffer: KIND.NUMBER | KIND.BUFFER,
      anything: FROM_ANY_CONTEXT,
      translated: KIND.NUMBER | KIND.OBJECT,
    }[row.otherwise];
    this.#otherwise = kinds === KIND.NUMBER ? values.any : values.pointer(kinds);
    let anywhere = this.#otherwise;
    for (const field of row.pointers) anywhere = values.join(anywhere, values.pointer(KINDS[field.kind]));
    this.#anywhere = anywhere;
  }

  /** The value of a load of `size` bytes at this offset. */
  load(offset: number, size: number): number {
    if (offset === ANY_OFFSET) return this.#anywhere;
    for (const field of this.row.pointers)
      if (offset < field.offset + field.size && field.offset < offset + size)
        return this.values.pointer(KINDS[field.kind]);
    return size === 8 ? this.#otherwise : this.row.otherwise === "anything" ? this.#anywhere : this.values.any;
  }

  /**
   * The fields that a store of `size` bytes at this offset may change; all writable fields if the offset is not known.
   */
  fieldsAt(offset: number, size: number): readonly WritableField[] {
    if (offset === ANY_OFFSET) return this.row.writable;
    const { writable } = this.row;
    for (const field of writable)
      if (overlaps(field, offset, size)) return writable.filter((each) => overlaps(each, offset, size));
    return NO_FIELDS;
  }
}

function overlaps([, start, length]: WritableField, offset: number, size: number): boolean {
  return offset < start + length && start < offset + size;
}
