import type { EffectsAtMost } from "../../bpf/translated-program.js";
import { errorName } from "../../errno.js";
import { CountersignError, type ErrorCode } from "../../error.js";
import { mapContents } from "../code/map-contents.js";
import { programParts } from "../code/program-parts.js";
import type { LinkReport, MapReport, ProgramReport } from "../model/objects.js";
import type { Scan } from "../model/scan.js";
import type { Raw, Reads } from "../reads/reads.js";
import type { KernelTypes } from "../views/kernel-types.js";
import { loadedFor } from "./attach-type.js";
import { programEffects, type TranslatingKernel, type UsedMap } from "./program-effects.js";
import type { ScannedKernel } from "./scanned-kernel.js";
import { SharedMaps } from "./shared-maps.js";

/** What a loaded program can at most do, or why that is not known, as a clause. */
export type KnownEffects = EffectsAtMost | { readonly unknown: readonly string[]; readonly effects: null };

/** What each program can at most do. */
export class EffectsOfPrograms {
  readonly #kernel: TranslatingKernel;
  readonly #shared: SharedMaps;
  readonly #maps: ReadonlyMap<number, MapReport>;
  readonly #types: KernelTypes;
  /** By program. */
  readonly #links = new Map<number, LinkReport[]>();

  constructor(
    private readonly reads: Reads,
    scan: Scan,
    { types, callees }: ScannedKernel,
  ) {
    this.#types = types;
    this.#kernel = { callees, types: types.btf(types.vmlinux) };
    for (const link of scan.links) {
      const own = this.#links.get(link.program ?? 0);
      if (own === undefined) this.#links.set(link.program ?? 0, [link]);
      else own.push(link);
    }
    this.#shared = new SharedMaps(scan.references);
    this.#maps = new Map(scan.maps.map((map) => [map.id, map]));
  }

  of(report: ProgramReport): KnownEffects {
    const { reads } = this;
    const types = this.#types;
    const { translated, functions, lines } = programParts(reads, report.id, EXAMINED);
    if (typeof translated === "number") return unknown(`its instructions cannot be read (${errorName(-translated)})`);
    const target = report.loadedFor === null ? null : types.target(report.loadedFor);
    const code = {
      report,
      loadedFor: loadedFor(report.type, this.#links.get(report.id) ?? [], target),
      translated,
      functions: bytesOf(functions),
      lines: bytesOf(lines),
      btf: report.btfId === null ? null : types.btf(report.btfId),
    };
    const maps = report.maps.flatMap((id) => {
      const map = this.#maps.get(id);
      return map === undefined ? [] : [this.#used(report, map)];
    });
    try {
      return programEffects(code, maps, this.#kernel);
    } catch (error) {
      if (error instanceof CountersignError && MALFORMED.includes(error.code)) return unknown(error.message);
      throw error;
    }
  }

  #used({ id }: ProgramReport, report: MapReport): UsedMap {
    const { type, maxEntries, frozen, keySize } = report;
    const hasValue = type === "array" && maxEntries === 1 && frozen === true;
    const contents = hasValue ? mapContents(this.reads, report, ONE) : null;
    const value = contents === null || typeof contents === "number" ? null : contents.subarray(keySize);
    return { report, isShared: this.#shared.isShared(id, report.id), value };
  }
}

const EXAMINED = ["translated", "functions", "lines"] as const;
/** What no kernel shows: bytes of an archive that was changed. */
export const MALFORMED: readonly ErrorCode[] = ["INSN_MALFORMED", "LOAD_MALFORMED", "BTF_MALFORMED"];
/** An array has one value, whatever the number of processors. */
const ONE = 1;
const unknown = (reason: string): KnownEffects => ({ unknown: [reason], effects: null });
const bytesOf = (raw: Raw) => (typeof raw === "number" ? new Uint8Array() : raw);
