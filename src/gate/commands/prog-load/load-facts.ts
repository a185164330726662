import type { CodeMap } from "../../../bpf/model/code.js";
import type { ProgramSubject } from "../../../bpf/model/facts.js";
import { NO_STATEMENTS } from "../../../bpf/model/facts.js";
import type { MapRole } from "../../../bpf/recognition.js";
import { programSubject } from "../../../engine/files/program-subject.js";
import { rememberExtended } from "../../../engine/statements/extended-statements.js";
import { errorOf } from "../../../engine/threads/failure.js";
import { CountersignError } from "../../../error.js";
import { btfOf, mapInfo } from "../../../sys/bpf.js";
import { Attr, LOAD } from "../../call/attr.js";
import type { Call } from "../../call/call.js";
import { deny } from "../../call/failure.js";
import { bytesOf, type IssuedObjects, isCreator } from "../../call/issued-objects.js";
import type { GateRule } from "../../call/rules.js";
import type { LiveKernel } from "../../recognition/live-kernel.js";
import type { RecognisedLoad, Recogniser } from "../../recognition/recogniser.js";
import { type Analyst, namedTypes } from "../../task/blocking/load-analysis.js";
import { isBtf } from "../objects/live-definition.js";
import { constantValue, isReadOnly, liveFacts } from "../objects/map-subject.js";
import { FactsCache } from "./facts-cache.js";
import { type LiveLoad, POINTERS } from "./live-load.js";
import { describeLoad, descriptionKey, MapTokens } from "./load-description.js";
import { hasDebugInfo } from "./load-records.js";

/** The facts of loads, by all that they were computed from. */
export type KnownFacts = FactsCache<ProgramSubject>;

export function noKnownFacts(): KnownFacts {
  return new FactsCache(KEPT, KEPT_BYTES);
}

/** Finds the signature of content by its digest; null if there is none. */
export interface Signatures {
  find(digest: string): Uint8Array | null;
}

/**
 * Computes the facts of loads. A load with the same input (attr, instructions, maps, BTF) gets the same frozen object
 * again, so that the sandbox can reuse what it built for that object.
 */
export class Facts {
  readonly #tokens = new MapTokens();
  /** The maps of objects that the maps of a load are, by the name that {@link LiveLoad.maps} gives them. */
  readonly #roles = new WeakMap<ProgramSubject, ReadonlyMap<string, readonly MapRole[]>>();

  /**
   * `keyrings` are the configuration's names of the kernel's keyrings, by keyring id. `recogniser` is null if no load
   * is compared with statements. `known` may have facts from another instance: signatures are looked up again, and a
   * load that is compared with statements has another key.
   */
  constructor(
    private readonly signatures: Signatures,
    private readonly keyrings: Readonly<Record<string, string>>,
    private readonly kernel: LiveKernel,
    private readonly recogniser: Recogniser | null = null,
    private readonly known: KnownFacts = noKnownFacts(),
  ) {}

  /**
   * Returns the subject of a load. `process` is the loader's ({@link Task.process}): maps that it created are marked as
   * the program's own. Throws a CountersignError, such as LOAD_MALFORMED, if the load cannot be analysed.
   */
  of(load: LiveLoad, objects: IssuedObjects, process: string, analyst: Analyst): ProgramSubject {
    const { maps, ids } = mapsOf(load, objects, process);
    const btf = programBtf(load);
    const { kernel, recogniser } = this;
    const more = { maps, ids, btf, objects, process, kernel };
    const parts = [
      ...partsOf(load, maps, btf),
      recogniser === null ? NOTHING : descriptionKey(load, more, this.#tokens),
    ];
    // if another thread has analysed this load in an earlier turn, use that result, even if the cache has an equal load
    // by now
    const known = analyst.hasAnalysed ? undefined : this.known.get(parts);
    if (known !== undefined && sameBytes(this.signatures.find(known.digest), known.signature))
      if (!isMiss(known) || recogniser?.refresh() !== true) return known;
    const types = load.namesKernel ? kernel.vmlinux : null;
    const analysed = analyst.analyse({
      attr: load.given.given,
      insns: ofItsOwn(load.insns),
      license: load.license,
      btf,
      funcInfo: load.funcInfo,
      lineInfo: load.lineInfo,
      coreRelos: load.coreRelos,
      kernel: types === null ? null : namedTypes(load.insns, targetOf(load), types),
      maps,
    });
    if ("failure" in analysed) throw errorOf(analysed.failure);
    const { facts } = analysed;
    const described = recogniser === null ? null : describeLoad(load, more, this.#tokens);
    const recognised = described === null ? null : recogniser!.recognise(described, facts.name);
    const { statements, mismatches } = recognised ?? NO_STATEMENTS;
    const target = described?.attach.of;
    if (typeof target === "object" && target !== null)
      rememberExtended(statements, objects.program(target.id)?.statements ?? []);
    const subject = programSubject(facts, {
      signature: this.signatures.find(facts.digest),
      ...{ statements, mismatches },
      kernel_signature: load.kernelSignature && ofItsOwn(load.kernelSignature),
      kernel_keyring: this.#keyringOf(load),
      object: null,
    });
    if (recognised !== null) this.#roles.set(subject, rolesByName(recognised, ids));
    if (recognised?.isPartial !== true) this.known.set(parts, subject, bytesOf(subject));
    return subject;
  }

  /** Remembers as which maps of their objects a recognised program uses its maps. `program` is the load's subject. */
  rememberRoles(load: LiveLoad, objects: IssuedObjects, program: ProgramSubject): void {
    for (const [name, roles] of this.#roles.get(program) ?? []) {
      const fd = load.maps.get(name);
      const info = fd === undefined ? 0 : mapInfo(fd);
      if (typeof info !== "number") for (const role of roles) objects.addRole(info.id, role);
    }
  }

  /** Returns null if the load has no signature, or the configuration does not name the keyring. */
  #keyringOf({ given, kernelSignature }: LiveLoad): string | null {
    return kernelSignature === null ? null : (this.keyrings[given.s32(LOAD.keyringId)] ?? null);
  }
}

/**
 * The facts of a load, for the task that calls. A load that is malformed is denied by `rule`; the kernel would reject
 * it, too.
 */
export function factsOf(call: Call, facts: Facts, load: LiveLoad, rule: GateRule): ProgramSubject {
  try {
    return facts.of(load, call.listener.objects, call.task.process, call.nextAnalyst());
  } catch (error) {
    if (error instanceof CountersignError) return deny(rule, error.toString());
    throw error;
  }
}

function targetOf({ given }: LiveLoad) {
  return { attachBtfId: given.u32(LOAD.attachBtfId), expectedAttachType: given.u32(LOAD.expectedAttachType) };
}

/** Maximum number of cached loads, and their maximum size in bytes (approximate). */
const KEPT = 1024;
const KEPT_BYTES = 16 * 2 ** 20;

/**
 * The bytes behind prog_btf_fd; null if there are none. If the kernel does not read the program's BTF, the fd may be of
 * any other object, whose report would be taken for BTF.
 */
function programBtf({ given, attr, coreRelos }: LiveLoad): Uint8Array | null {
  const fd = attr.s32(LOAD.progBtfFd);
  const isRead = hasDebugInfo(given) || coreRelos.byteLength > 0;
  return fd === 0 || !(isRead || isBtf(fd)) ? null : btfOf(fd);
}

interface NamedMaps {
  readonly maps: ReadonlyMap<string, CodeMap>;
  /** The kernel's id of each. */
  readonly ids: ReadonlyMap<string, number>;
}

/** Returns the maps that a load names. A map that is named several times is the same object each time. */
function mapsOf(load: LiveLoad, objects: IssuedObjects, process: string): NamedMaps {
  const byId = new Map<number, CodeMap>();
  const maps = new Map<string, CodeMap>();
  const ids = new Map<string, number>();
  for (const [name, fd] of load.maps) {
    const info = mapInfo(fd);
    if (typeof info === "number") continue; // BTF, or an fd that the kernel will reject
    let map = byId.get(info.id);
    if (map === undefined) {
      // one read: `contents` is the digest of exactly the bytes in `data`
      const value = constantValue(info, fd, objects.isExclusive(info.id));
      // the contents are a constant only if the program itself cannot write to the map
      const frozen = value !== null && isReadOnly(info);
      const data = frozen ? value : null;
      map = { ...liveFacts(info, value), own: isCreator(process, objects.map(info.id)), data, frozen, inner: null };
      byId.set(info.id, map);
    }
    maps.set(name, map);
    ids.set(name, info.id);
  }
  return { maps, ids };
}

/**
 * Offsets of fields of attr that are left out of the cache key: they do not affect the facts, or their content is a
 * part of its own.
 */
const ASIDE = [LOAD.logLevel, LOAD.logSize, LOAD.progBtfFd, LOAD.logTrueSize, LOAD.signatureSize] as const;

/** The attr of the last key: a key is used until the cache has looked it up, or stored a copy of it. */
const KEY = new Attr(LOAD.size, LOAD.size);

/**
 * Returns the cache key: all input of the facts. It holds the whole attr except pointers and ignored fields, so that a
 * field that this code does not know can only cause a cache miss, never a wrong hit.
 */
function partsOf(load: LiveLoad, maps: ReadonlyMap<string, CodeMap>, btf: Uint8Array | null): readonly Uint8Array[] {
  const { given } = load;
  const attr = given.size > LOAD.size ? new Attr(given.size, LOAD.size) : KEY;
  attr.bytes.set(given.bytes);
  for (const pointer of POINTERS) attr.clearPointer(pointer);
  for (const word of ASIDE) attr.setU32(word, 0);
  attr.setU32(LOAD.attachFd, given.u32(LOAD.attachFd) === 0 ? 0 : 1);
  return [
    ...[attr.bytes, load.licensed, describe(maps), load.insns],
    ...[load.funcInfo, load.lineInfo, load.coreRelos, load.kernelSignature ?? NOTHING, btf ?? NOTHING],
  ];
}

/** Bytes that facts keep, without the rest of the memory that they were read into: see {@link roomFor}. */
function ofItsOwn(bytes: Uint8Array): Uint8Array {
  return bytes.buffer.byteLength > 2 * bytes.byteLength ? bytes.slice() : bytes;
}

function describe(maps: ReadonlyMap<string, CodeMap>): Uint8Array {
  if (maps.size === 0) return NOTHING;
  return Buffer.from(JSON.stringify([...maps].map(([name, { data: _, ...facts }]) => [name, facts])), "utf8");
}

const NOTHING = new Uint8Array(0);

/** Whether statements come close to a program, and none matches it. */
function isMiss({ statements, mismatches }: ProgramSubject): boolean {
  return mismatches.length > 0 && statements.length === 0;
}

function rolesByName(
  { roles }: RecognisedLoad,
  ids: ReadonlyMap<string, number>,
): ReadonlyMap<string, readonly MapRole[]> {
  return new Map(Array.from(ids, ([name, id]) => [name, roles.get(id) ?? []]));
}

function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.compare(a, b) === 0;
}
