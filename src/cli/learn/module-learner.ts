import type { ReadRecord } from "../../log/read-record.js";
import type { ReadLine } from "../../log/record-reader.js";

/** A kernel module that a guard denied, or would have denied under audit. */
export interface SeenModule {
  /** SHA-256 of what the kernel read, in lower-case hex: of the file, or of what is in it. */
  readonly digest: string;
  /** The release of the kernel; null if the log does not say it. */
  readonly release: string | null;
  /** Whether it was denied each time. */
  readonly denied: boolean;
}

/** Collects the kernel modules in records of guards: those of `countersign seal log`. */
export class ModuleLearner {
  /** By release and digest. */
  readonly #seen = new Map<string, SeenModule>();
  #release: string | null = null;

  /** Takes a line of a log. Does not throw. */
  add({ record }: ReadLine): void {
    const read = record as (ReadRecord & { readonly kernel?: unknown }) | null;
    if (read?.origin !== "guard") return;
    if (read.type === "start") this.#release = typeof read.kernel === "string" ? read.kernel : null;
    const { subject, denied_by: by, verdict } = read;
    if (read.type !== "decision" || by?.rule !== "module" || !/^[0-9a-f]{64}$/.test(subject?.digest ?? "")) return;
    const digest = subject!.digest!;
    const key = `${this.#release} ${digest}`;
    const denied = verdict !== 0 && (this.#seen.get(key)?.denied ?? true);
    this.#seen.set(key, { digest, release: this.#release, denied });
  }

  /** The modules that were let through; with `denied` also the others. */
  modules(denied: boolean): readonly SeenModule[] {
    return [...this.#seen.values()].filter((module) => denied || !module.denied);
  }

  /** The number of modules that were denied each time. */
  get denied(): number {
    return [...this.#seen.values()].filter((module) => module.denied).length;
  }
}
