/** How sizes are written: bytes as a number, or with a binary unit. */
export const SIZE = /^(?<count>[0-9]{1,12})(?<unit>B|KiB|MiB|GiB)$/;
/** How durations are written: always with a unit. */
export const DURATION = /^(?<count>[0-9]{1,9})(?<unit>ms|s|m|h)$/;

const BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 };
const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Bytes of a number or of what SIZE matches. */
export function bytes(size: number | string): number {
  return typeof size === "number" ? size : scaled(SIZE, BYTES, size);
}

/** Milliseconds of what DURATION matches. */
export function milliseconds(duration: string): number {
  return scaled(DURATION, MILLISECONDS, duration);
}

function scaled(form: RegExp, units: Readonly<Record<string, number>>, text: string): number {
  const { count, unit } = form.exec(text)?.groups ?? {};
  return Number(count) * (units[unit ?? ""] ?? Number.NaN);
}
