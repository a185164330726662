/** Measured values of one kind, such as the times of an attachment's answers. */
export class Samples {
  readonly #values: number[] = [];

  add(value: number): void {
    this.#values.push(value);
  }

  get count(): number {
    return this.#values.length;
  }

  /** The smallest value that at least this part of all values does not exceed, such as 0.99; 0 without a value. */
  quantile(part: number): number {
    const sorted = Float64Array.from(this.#values).sort();
    return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0;
  }
}
