import { Btf } from "../../../bpf/btf/btf.js";
import type { CodeMap } from "../../../bpf/model/code.js";
import type {
  LiveAttachTarget,
  LiveMap,
  LiveMapDefinition,
  LiveProgramLoad,
  LiveTargetProgram,
  MapRole,
} from "../../../bpf/recognition.js";
import { LruCache } from "../../../lru-cache.js";
import { programNumbers } from "../../../sys/bpf.js";
import { btfById, btfReport, type MapTypes, mapTypes, programBtfId } from "../../../sys/btf.js";
import { readLink } from "../../../sys/file.js";
import { LOAD } from "../../call/attr.js";
import { type IssuedObjects, isCreator, type MapCreation, type MapEntry } from "../../call/issued-objects.js";
import { IdCache } from "../objects/id-cache.js";
import { digestOfBtfFd, isBtf, mapDefinition } from "../objects/live-definition.js";
import type { LiveLoad } from "./live-load.js";

/** What else the gate knows of a load: its maps by the name that {@link LiveLoad.maps} gives them, and its BTF. */
export interface KnownOfLoad {
  readonly maps: ReadonlyMap<string, CodeMap>;
  /** The kernel's ids of these maps. */
  readonly ids: ReadonlyMap<string, number>;
  readonly btf: Uint8Array | null;
  readonly objects: IssuedObjects;
  /** The process that loads the program: see {@link Task.process}. */
  readonly process: string;
  readonly kernel: KernelObjects;
}

/** The BTF objects of the kernel. */
export interface KernelObjects {
  /** Whether this is one of those for which programs are relocated. */
  has(btfId: number): boolean;
  /** The name of a type in one of them, for people. */
  typeName(object: string, id: number): string | null;
}

/** Describes a load for recognition. All that it says was copied, or is read from objects that the gate holds. */
export function describeLoad(load: LiveLoad, known: KnownOfLoad, tokens: MapTokens): LiveProgramLoad {
  const { given, attr } = load;
  const progBtf = attr.s32(LOAD.progBtfFd);
  const maps = new Map<string, LiveMap>();
  const kernelObject = kernelObjects(known);
  const mapOf = (name: string, fd: number) => {
    const map = maps.get(name) ?? describeMap(name, fd, known, tokens);
    if (map !== null) maps.set(name, map);
    return map;
  };
  const { bySlot, btfObjects } = referencesOf(load, mapOf, kernelObject);
  return {
    insns: load.insns,
    type: given.u32(LOAD.progType),
    expectedAttachType: given.u32(LOAD.expectedAttachType),
    flags: given.u32(LOAD.progFlags),
    ifindex: given.u32(LOAD.progIfindex),
    license: load.license,
    attach: attachOf(load, known, kernelObject),
    btf: progBtf === 0 ? null : (digestOfBtfFd(progBtf, known.btf) ?? "BTF that cannot be read"),
    funcInfo: { bytes: load.funcInfo, size: given.u32(LOAD.funcInfoRecordSize) },
    coreRelos: { bytes: load.coreRelos, size: given.u32(LOAD.coreReloRecordSize) },
    maps: bySlot,
    btfObjects,
    boundFds: given.points(LOAD.fdArray) ? given.u32(LOAD.fdArrayCount) : 0,
  };
}

/**
 * The part of the key of cached facts that statements add: everything of a description that the other parts do not
 * have. Maps are numbered in the order of their names, since their ids are new at each start of a tool. The description
 * itself is not made for it, which would take ten times as long as the rest of a cached load.
 */
export function descriptionKey(load: LiveLoad, known: KnownOfLoad, tokens: MapTokens): Uint8Array {
  const numbers = new Map<number, number>();
  const places: number[] = [];
  const maps: number[] = [];
  for (const [name, fd] of load.maps) {
    const id = known.ids.get(name);
    if (id === undefined) {
      places.push(NO_MAP); // BTF, or an fd that the kernel will reject
      continue;
    }
    let number = numbers.get(id);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(id, number);
      const entry = known.objects.map(id);
      maps.push(tokens.ofMap(id, fd, entry), tokens.ofRoles(known.objects.roles(id)), creatorOf(entry, known.process));
    }
    places.push(number);
  }
  // the length first: no list of places and maps is read as another one
  const key = new Uint8Array(Int32Array.of(places.length, ...places, ...maps).buffer);
  if (load.given.u32(LOAD.attachFd) === 0 && load.btfs.size === 0 && !load.given.points(LOAD.fdArray)) return key;
  const btfs = new Map<string, number>();
  const kernelObject = kernelObjects(known, btfs);
  const { btfObjects } = referencesOf(load, () => null, kernelObject);
  const { of } = attachOf(load, known, kernelObject);
  return Buffer.concat([key, Buffer.from(JSON.stringify([of, [...btfObjects], [...btfs]]))]);
}

const NO_MAP = -1;

/** 0 for a map that was not created through this gate, 1 for one of this process, 2 for one of another. */
function creatorOf(entry: MapEntry | undefined, process: string): number {
  return entry === undefined ? 0 : isCreator(process, entry) ? 1 : 2;
}

/** Maximum number of definitions, and of maps, that have a token. */
const MAX_TOKENS = 16_384;

/**
 * What is known of maps by their ids, and numbers that stand for it: equal for equal definitions. A number is never
 * used again.
 */
export class MapTokens {
  readonly #byId = new IdCache<{ readonly token: number; readonly creation: MapCreation | undefined }>(MAX_TOKENS);
  readonly #definitions = new IdCache<LiveMapDefinition>(MAX_TOKENS);
  readonly #byText = new LruCache<string, number>(MAX_TOKENS);
  readonly #byRoles = new WeakMap<readonly MapRole[], number>();
  #next = 1;

  /** For the definition of a map, which does not change, and for what is known of its creation. */
  ofMap(id: number, fd: number, entry: MapEntry | undefined): number {
    const creation = entry?.creation;
    const known = this.#byId.get(id);
    if (known !== undefined && known.creation === creation) return known.token;
    const token = this.#ofText(JSON.stringify([this.definition(id, fd), creation ?? null]));
    this.#byId.set(id, { token, creation });
    return token;
  }

  /** The definition itself; null if the kernel reports none. */
  definition(id: number, fd: number): LiveMapDefinition | null {
    const known = this.#definitions.get(id);
    if (known !== undefined) return known;
    const definition = mapDefinition(fd);
    if (definition !== null) this.#definitions.set(id, definition);
    return definition;
  }

  /** 0 for no roles. */
  ofRoles(roles: readonly MapRole[]): number {
    if (roles.length === 0) return 0;
    let token = this.#byRoles.get(roles);
    if (token === undefined) {
      token = this.#ofText(JSON.stringify(roles));
      this.#byRoles.set(roles, token);
    }
    return token;
  }

  #ofText(text: string): number {
    let token = this.#byText.get(text);
    if (token === undefined) {
      token = this.#next++;
      this.#byText.set(text, token);
    }
    return token;
  }
}

/** Opcodes and source registers of linux/bpf.h. */
const LD_IMM64 = 0x18;
const CALL = 0x85;
const SRC = { mapFd: 1, mapValue: 2, btfId: 3, kfunc: 2 } as const;

interface LoadReferences {
  readonly bySlot: ReadonlyMap<number, LiveMap>;
  readonly btfObjects: ReadonlyMap<number, string | null>;
}

/** `vmlinux` or the name of a module; null for an fd that is not the kernel's BTF. */
type KernelObject = (fd: number | undefined) => string | null;

/** `ids` gets the ids of the objects that are found: those of a module are new each time that it is loaded. */
function kernelObjects({ kernel }: KnownOfLoad, ids = new Map<string, number>()): KernelObject {
  return (fd) => {
    if (fd === undefined || !isBtf(fd)) return null;
    const report = btfReport(fd);
    if (typeof report === "number" || !report.ofKernel || !kernel.has(report.id)) return null;
    ids.set(report.name, report.id);
    return report.name;
  };
}

function referencesOf(
  load: LiveLoad,
  mapOf: (name: string, fd: number) => LiveMap | null,
  kernelObject: KernelObject,
): LoadReferences {
  const { insns } = load;
  const view = new DataView(insns.buffer, insns.byteOffset, insns.byteLength);
  const bySlot = new Map<number, LiveMap>();
  const btfObjects = new Map<number, string | null>();
  for (let at = 0; at + 8 <= insns.byteLength; at += 8) {
    const opcode = insns[at];
    if (opcode !== LD_IMM64 && opcode !== CALL) continue;
    const source = insns[at + 1]! >> 4;
    const slot = at / 8;
    if (opcode === CALL) {
      const index = source === SRC.kfunc ? view.getInt16(at + 2, true) : 0;
      if (index !== 0) btfObjects.set(slot, kernelObject(load.maps.get(`index ${index}`)));
      continue;
    }
    if (source === SRC.mapFd || source === SRC.mapValue) {
      const name = `fd ${view.getInt32(at + 4, true)}`;
      const fd = load.maps.get(name);
      const map = fd === undefined ? null : mapOf(name, fd);
      if (map !== null) bySlot.set(slot, map);
    } else if (source === SRC.btfId && at + 16 <= insns.byteLength) {
      const number = view.getInt32(at + 12, true);
      if (number !== 0) btfObjects.set(slot, kernelObject(load.btfs.get(number)));
    }
    at += 8;
  }
  return { bySlot, btfObjects };
}

function describeMap(name: string, fd: number, known: KnownOfLoad, tokens: MapTokens): LiveMap | null {
  const [code, id] = [known.maps.get(name), known.ids.get(name)];
  if (code === undefined || id === undefined) return null;
  const entry = known.objects.map(id);
  const definition = tokens.definition(id, fd);
  if (definition === null) return null;
  return {
    ...definition,
    id,
    numaNode: entry?.creation?.numaNode ?? null,
    inner: entry?.creation?.inner ?? null,
    readBtf: (of) => btfOfMap(of === "map" ? mapTypes(fd) : (entry?.creation?.innerBtfId ?? 0)),
    frozen: code.frozen,
    contents: code.frozen ? code.data : null,
    creator: entry === undefined ? null : isCreator(known.process, entry) ? "loader" : "other",
    roles: known.objects.roles(id),
  };
}

function btfOfMap(of: MapTypes | number): Uint8Array | null {
  const id = typeof of === "number" ? of : of.btfId;
  return id > 0 ? btfById(id) : null;
}

function attachOf(load: LiveLoad, known: KnownOfLoad, kernelObject: KernelObject): LiveAttachTarget {
  const btfId = load.given.u32(LOAD.attachBtfId);
  if (load.given.u32(LOAD.attachFd) === 0) {
    if (btfId === 0) return NOTHING;
    return { btfId, of: "vmlinux", name: known.kernel.typeName("vmlinux", btfId) };
  }
  const fd = load.attr.s32(LOAD.attachFd);
  const object = kernelObject(fd);
  if (object !== null) return { btfId, of: object, name: known.kernel.typeName(object, btfId) };
  const program = targetProgram(fd, btfId, known);
  return { btfId, of: program ?? "an fd that is no target", name: program?.function ?? null };
}

const NOTHING: LiveAttachTarget = { btfId: 0, of: null, name: null };

/** Null for an fd that is no program. */
function targetProgram(fd: number, btfId: number, { objects }: KnownOfLoad): LiveTargetProgram | null {
  if (readLink(`/proc/thread-self/fd/${fd}`) !== "anon_inode:bpf-prog") return null;
  const numbers = programNumbers(fd);
  if (typeof numbers === "number") return null;
  const recognised = (objects.program(numbers.id)?.statements ?? []).length > 0;
  return { id: numbers.id, recognised, function: recognised ? functionName(programBtfId(fd), btfId) : null };
}

/** The name of a function in a program's BTF; null if it is not known. */
function functionName(btf: number, id: number): string | null {
  const bytes = btf === 0 ? null : btfById(btf);
  if (bytes === null) return null;
  try {
    const types = new Btf(bytes, "the target's BTF");
    return types.kind(id) === "func" ? types.name(id) : null;
  } catch {
    return null;
  }
}
