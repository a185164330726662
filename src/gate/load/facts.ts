import { Btf } from "../../bpf/btf.js";
import type { CodeMap } from "../../bpf/code.js";
import { errorOf } from "../../engine/failure.js";
import { programSubject } from "../../engine/program-subject.js";
import type { ProgramSubject } from "../../hooks/subject.js";
import { Attr, LOAD } from "../call/attr.js";
import { bytesOf, type IssuedObjects } from "../call/issued-objects.js";
import { isReadOnly, liveMap } from "../commands/map-subject.js";
import { btfOf, firstValue, mapInfo } from "../sys/bpf.js";
import { type Analyst, namedTypes } from "./analysis.js";
import { FactsCache } from "./facts-cache.js";
import { type LiveLoad, POINTERS } from "./load.js";

/** Finds the signature of content by its digest; null if there is none. */
export interface Signatures {
  find(digest: string): Uint8Array | null;
}

/**
 * Computes the facts of loads. A load with the same input (attr, instructions, maps, BTF) gets the same frozen object
 * again, so that the sandbox can reuse what it built for that object.
 */
export class Facts {
  readonly #known = new FactsCache<ProgramSubject>(KEPT, KEPT_BYTES);
  #kernel: Btf | null | undefined;

  /**
   * `keyrings` are the configuration's names of the kernel's keyrings, by keyring id. `readBtf` reads the kernel's BTF;
   * it returns null if there is none.
   */
  constructor(
    private readonly signatures: Signatures,
    private readonly keyrings: Readonly<Record<string, string>>,
    private readonly readBtf: () => Uint8Array | null,
  ) {}

  /**
   * Returns the subject of a load. `tgid` is the loader's process: maps that it created are marked as the program's
   * own. Throws a CountersignError, such as LOAD_MALFORMED, if the load cannot be analysed.
   */
  of(load: LiveLoad, objects: IssuedObjects, tgid: number, analyst: Analyst): ProgramSubject {
    const maps = mapsOf(load, objects, tgid);
    const btf = load.attr.u32(LOAD.progBtfFd) === 0 ? null : btfOf(load.attr.s32(LOAD.progBtfFd));
    const parts = partsOf(load, maps, btf);
    // if another thread has analysed this load in an earlier turn, use that result, even if the cache has an equal load
    // by now
    const known = analyst.hasAnalysed ? undefined : this.#known.get(parts);
    if (known !== undefined && sameBytes(this.signatures.find(known.digest), known.signature)) return known;
    const kernel = load.namesKernel ? this.#kernelBtf() : null;
    const analysed = analyst.analyse({
      attr: load.given.given,
      insns: load.insns,
      license: load.license,
      btf,
      funcInfo: load.funcInfo,
      lineInfo: load.lineInfo,
      coreRelos: load.coreRelos,
      kernel: kernel === null ? null : namedTypes(load.insns, targetOf(load), kernel),
      maps,
    });
    if ("failure" in analysed) throw errorOf(analysed.failure);
    const { facts } = analysed;
    const subject = programSubject(facts, {
      signature: this.signatures.find(facts.digest),
      kernel_signature: load.kernelSignature,
      kernel_keyring: this.#keyringOf(load),
      object: null,
      loaded: null,
      rewritten: false,
    });
    this.#known.set(parts, subject, bytesOf(subject));
    return subject;
  }

  /** Returns null if the load has no signature, or the configuration does not name the keyring. */
  #keyringOf({ given, kernelSignature }: LiveLoad): string | null {
    return kernelSignature === null ? null : (this.keyrings[given.s32(LOAD.keyringId)] ?? null);
  }

  /** Reads the kernel's BTF when a load first names a type of it, because that takes 20 ms and several megabytes. */
  #kernelBtf(): Btf | null {
    if (this.#kernel === undefined) {
      const bytes = this.readBtf();
      try {
        this.#kernel = bytes === null ? null : new Btf(bytes, "the kernel's BTF");
      } catch {
        this.#kernel = null; // unreadable BTF: names are unknown, so that effects are set rather than missed
      }
    }
    return this.#kernel;
  }
}

function targetOf({ given }: LiveLoad) {
  return { attachBtfId: given.u32(LOAD.attachBtfId), expectedAttachType: given.u32(LOAD.expectedAttachType) };
}

/** Maximum number of cached loads, and their maximum size in bytes (approximate). */
const KEPT = 1024;
const KEPT_BYTES = 16 * 2 ** 20;

/** Returns the maps that a load names. A map that is named several times is the same object each time. */
function mapsOf(load: LiveLoad, objects: IssuedObjects, tgid: number): Map<string, CodeMap> {
  const byId = new Map<number, CodeMap>();
  const maps = new Map<string, CodeMap>();
  for (const [name, fd] of load.maps) {
    const info = mapInfo(fd);
    if (typeof info === "number") continue; // BTF, or an fd that the kernel will reject
    let map = byId.get(info.id);
    if (map === undefined) {
      const { access: _, digest: __, ...facts } = liveMap(info, fd, "rw", objects.isExclusive(info.id));
      // the contents are a constant only if the program itself cannot write to the map
      const frozen = facts.contents !== null && isReadOnly(info);
      const data = frozen ? firstValue(fd, info.valueSize) : null;
      map = { ...facts, own: objects.mapCreator(info.id) === tgid, data, frozen, inner: null };
      byId.set(info.id, map);
    }
    maps.set(name, map);
  }
  return maps;
}

/**
 * Offsets of fields of attr that are left out of the cache key: they do not affect the facts, or their content is a
 * part of its own.
 */
const ASIDE = [LOAD.logLevel, LOAD.logSize, LOAD.progBtfFd, LOAD.logTrueSize, LOAD.signatureSize] as const;

/**
 * Returns the cache key: all input of the facts. It holds the whole attr except pointers and ignored fields, so that a
 * field that this code does not know can only cause a cache miss, never a wrong hit.
 */
function partsOf(load: LiveLoad, maps: ReadonlyMap<string, CodeMap>, btf: Uint8Array | null): readonly Uint8Array[] {
  const { given } = load;
  const attr = new Attr(given.size, LOAD.size, given.bytes);
  for (const pointer of POINTERS) attr.clearPointer(pointer);
  for (const word of ASIDE) attr.setU32(word, 0);
  attr.setU32(LOAD.attachFd, given.u32(LOAD.attachFd) === 0 ? 0 : 1);
  return [
    ...[attr.bytes, load.licensed, describe(maps), load.insns],
    ...[load.funcInfo, load.lineInfo, load.coreRelos, load.kernelSignature ?? NOTHING, btf ?? NOTHING],
  ];
}

function describe(maps: ReadonlyMap<string, CodeMap>): Uint8Array {
  if (maps.size === 0) return NOTHING;
  return Buffer.from(JSON.stringify([...maps].map(([name, { data: _, ...facts }]) => [name, facts])), "utf8");
}

const NOTHING = new Uint8Array(0);

function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.compare(a, b) === 0;
}
