/** Bytes stay on the host. A policy holds a frozen `{ length }`, and only this map knows which bytes it stands for. */
const numbers = new WeakMap<object, number>();

export interface Bytes {
  readonly length: number;
}

export function standFor(number: number, length: number): Bytes {
  const bytes = Object.freeze({ length });
  numbers.set(bytes, number);
  return bytes;
}

/** The host's number of some bytes. Throws a TypeError for whatever else the policy gave. */
export function numberOf(bytes: unknown, who: string): number {
  const number = numbers.get(bytes as object);
  if (number === undefined) throw new TypeError(`${who} is not bytes`);
  return number;
}
