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

/** Finds the signature over what has a digest. */
export interface Signatures {
  find(digest: string): Uint8Array | null;
}

/**
 * The facts of live loads. A load that is the same in everything that facts are made from, its maps and BTF among it,
 * gives the same frozen object again: the sandbox then knows it already.
 */
export class Facts {
  readonly #known = new FactsCache<ProgramSubject>(KEPT, KEPT_BYTES);
  #kernel: Btf | null | undefined;

  /** `keyrings` are the configuration's by the kernel's ids; `readBtf` gives the kernel's BTF, or null. */
  constructor(
    private readonly signatures: Signatures,
    private readonly keyrings: Readonly<Record<string, string>>,
    private readonly readBtf: () => Uint8Array | null,
  ) {}

  /**
   * A load as policies see it. `tgid` is the loader's: the maps that it created are the program's own. Throws
   * LOAD_MALFORMED and the like.
   */
  of(load: LiveLoad, objects: IssuedObjects, tgid: number, analyst: Analyst): ProgramSubject {
    const maps = mapsOf(load, objects, tgid);
    const btf = load.attr.u32(LOAD.progBtfFd) === 0 ? null : btfOf(load.attr.s32(LOAD.progBtfFd));
    const parts = partsOf(load, maps, btf);
    // what another thread has found out is what is judged, even if an equal load has been seen meanwhile
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

  /** Null where there is no signature that it would be for, or the configuration does not know it. */
  #keyringOf({ given, kernelSignature }: LiveLoad): string | null {
    return kernelSignature === null ? null : (this.keyrings[given.s32(LOAD.keyringId)] ?? null);
  }

  /** Read when a program first names something of the kernel's: it takes 20 ms and some memory. */
  #kernelBtf(): Btf | null {
    if (this.#kernel === undefined) {
      const bytes = this.readBtf();
      try {
        this.#kernel = bytes === null ? null : new Btf(bytes, "the kernel's BTF");
      } catch {
        this.#kernel = null; // a kernel without BTF: names are then not known, and effects err on the safe side
      }
    }
    return this.#kernel;
  }
}

function targetOf({ given }: LiveLoad) {
  return { attachBtfId: given.u32(LOAD.attachBtfId), expectedAttachType: given.u32(LOAD.expectedAttachType) };
}

/** Programs whose facts are kept, and about how many bytes they may take. */
const KEPT = 1024;
const KEPT_BYTES = 16 * 2 ** 20;

/** The maps that a load names, each map one object however often it is named. */
function mapsOf(load: LiveLoad, objects: IssuedObjects, tgid: number): Map<string, CodeMap> {
  const byId = new Map<number, CodeMap>();
  const maps = new Map<string, CodeMap>();
  for (const [name, fd] of load.maps) {
    const info = mapInfo(fd);
    if (typeof info === "number") continue; // BTF, or what the kernel will refuse
    let map = byId.get(info.id);
    if (map === undefined) {
      const { access: _, digest: __, ...facts } = liveMap(info, fd, "rw", objects.isExclusive(info.id));
      // what the program itself may write is no constant to it
      const frozen = facts.contents !== null && isReadOnly(info);
      const data = frozen ? firstValue(fd, info.valueSize) : null;
      map = { ...facts, own: objects.mapCreator(info.id) === tgid, data, frozen, inner: null };
      byId.set(info.id, map);
    }
    maps.set(name, map);
  }
  return maps;
}

/** Where attr has, beside its pointers, words that say nothing of the program, or are among the parts by themselves. */
const ASIDE = [LOAD.logLevel, LOAD.logSize, LOAD.progBtfFd, LOAD.logTrueSize, LOAD.signatureSize] as const;

/** All that facts are made from; of what nobody thought of rather too much than too little. */
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
