/** Key usages (RFC 5280 4.2.1.3) of a time-stamping certificate, by bit numbers, and whether its stamps may count. */
export const STAMP_USAGES: readonly (readonly [bits: readonly number[] | null, counts: boolean])[] = [
  [null, true],
  [[0], true],
  [[1], true],
  [[0, 1], true],
  ...[2, 3, 4, 5, 6, 7, 8].flatMap(
    (bit) =>
      [
        [[bit], false],
        [[0, bit], false],
        [[0, 1, bit], false],
      ] as const,
  ),
];
