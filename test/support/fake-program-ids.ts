/** The program ids of a kernel: which are in use, and how often BPF_PROG_GET_NEXT_ID was called. */
export class FakeProgramIds {
  calls = 0;
  readonly #used = new Set<number>();
  #last = 0;

  /** The next id, as a load gets it. */
  load(): number {
    this.#used.add(++this.#last);
    return this.#last;
  }

  release(...ids: readonly number[]): void {
    for (const id of ids) this.#used.delete(id);
  }

  /** Like `nextObjectId`: ENOENT at the end. */
  readonly next = (id: number): number => {
    this.calls += 1;
    for (let next = id + 1; next <= this.#last; next += 1) if (this.#used.has(next)) return next;
    return -2;
  };
}
