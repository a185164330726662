/** A size: bytes with a unit. A plain number of bytes is not matched. */
export const SIZE = /^(?<count>[0-9]{1,12})(?<unit>B|KiB|MiB|GiB)$/;
/** A duration, always with a unit. */
export const DURATION = /^(?<count>[0-9]{1,9})(?<unit>ms|s|m|h)$/;

const BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };
const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Number of bytes of a size: a number, or text that SIZE matches. */
export function bytes(size: number | string): number {
  return typeof size === "number" ? size : scaled(SIZE, BYTES, size);
}

/** Number of milliseconds of a duration that DURATION matches. */
export function milliseconds(duration: string): number {
  return scaled(DURATION, MILLISECONDS, duration);
}

function scaled(form: RegExp, units: Readonly<Record<string, number>>, text: string): number {
  const { count, unit } = form.exec(text)?.groups ?? {};
  return Number(count) * (units[unit ?? ""] ?? Number.NaN);
}
