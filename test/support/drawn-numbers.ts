type Next = (below: number) => number;

const SPECIAL: readonly number[] = [
  ...[0, 1, 2, 3, 7, 100, 255, 4096, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 52, 2 ** 53 - 1, 2 ** 53],
  ...[2 ** 53 + 2, 2 ** 63, 2 ** 64, 2 ** 90, 1e21, 1e300, Number.MAX_VALUE, Number.MIN_VALUE, 0.1, 0.5, 1.5, 1e-300],
];

/** A finite number, mostly one at which something changes: a power of 2, a fraction, a sign. */
export function drawnNumber(next: Next): number {
  const sign = next(3) === 0 ? -1 : 1;
  switch (next(5)) {
    case 0:
      return sign * SPECIAL[next(SPECIAL.length)]!;
    case 1:
      return sign * (2 ** next(70) + next(5) - 2);
    case 2:
      return (sign * next(2 ** 30)) / 2 ** next(40);
    case 3:
      return sign * next(2 ** 30) * 2 ** next(40);
    default:
      return sign * next(300);
  }
}
