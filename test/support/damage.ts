/** Damages bytes in ways that a seed decides, so that a failure can be had again. */

/** A small generator of numbers (mulberry32): the same seed gives the same numbers. */
export function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** The seed that was asked for (`SEED`), that of the commit in CI, or one of the clock's; its user prints it. */
export function seedOf(): number {
  const { SEED, COUNTERSIGN_SEED } = process.env;
  return Number(SEED ?? COUNTERSIGN_SEED ?? Date.now() % 0xffffffff) >>> 0;
}

/** One to three changes: a bit, a byte, a cut, a doubled part, bytes put in, a length made huge. */
export function damaged(bytes: Uint8Array, next: (below: number) => number): Buffer {
  let result = Buffer.from(bytes);
  for (let rounds = next(3); rounds >= 0; rounds--) result = WAYS[next(WAYS.length)]?.(result, next) ?? result;
  return result;
}

type Way = (bytes: Buffer<ArrayBuffer>, next: (below: number) => number) => Buffer<ArrayBuffer>;

const at = (bytes: Buffer, next: (below: number) => number): number => next(bytes.length + 1);

const WAYS: readonly Way[] = [
  (bytes, next) => {
    const position = at(bytes, next);
    if (position < bytes.length) bytes[position] = (bytes[position] as number) ^ (1 << next(8));
    return bytes;
  },
  (bytes, next) => {
    const position = at(bytes, next);
    if (position < bytes.length) bytes[position] = [0x00, 0xff, 0x7f, 0x80, 0x0a, next(256)][next(6)] as number;
    return bytes;
  },
  (bytes, next) => Buffer.from(bytes.subarray(0, at(bytes, next))),
  (bytes, next) => {
    const [a = 0, b = 0] = [at(bytes, next), at(bytes, next)].sort((x, y) => x - y);
    return Buffer.concat([bytes.subarray(0, b), bytes.subarray(a, b), bytes.subarray(b)]);
  },
  (bytes, next) => {
    const position = at(bytes, next);
    const added = Buffer.from(Array.from({ length: 1 + next(8) }, () => next(256)));
    return Buffer.concat([bytes.subarray(0, position), added, bytes.subarray(position)]);
  },
  (bytes, next) => {
    const position = next(Math.max(1, bytes.length - 4));
    if (bytes.length > 4)
      bytes.writeUInt32BE([0xffffffff, 0x7fffffff, 0x80000000, bytes.length][next(4)] as number, position);
    return bytes;
  },
];

/** The same items in an order drawn by chance; `next` draws a whole number below its argument. */
export function shuffled<T>(list: readonly T[], next: (below: number) => number): T[] {
  const result = [...list];
  for (let index = result.length - 1; index > 0; index--) {
    const other = next(index + 1);
    [result[index], result[other]] = [result[other] as T, result[index] as T];
  }
  return result;
}
