import { factsOfObjects, isEmbedded, type ObjectBytes } from "../../bpf/embedded.js";
import { COVERS_SIZE, NO_ATTR_FACTS } from "../../bpf/model/command-fields.js";
import { CMD, type CommandName, withCommandDigest } from "../../bpf/model/commands.js";
import {
  AS_DECLARED,
  FILLED_IN,
  LONG_NAME,
  MAP_DIFFERENCES,
  MODULE_FD,
  NAMES_NO_TARGET,
  PINNED,
  REPORTED,
  SETTINGS,
} from "../../bpf/model/differences.js";
import type { FileFacts, MapFacts, ObjectFacts, ProgramFacts, ProgramSubject } from "../../bpf/model/facts.js";
import { programFactsFrom } from "../../bpf/model/program-fields.js";
import type { ObjectProgram } from "../../bpf/object/program.js";
import type { Relocator } from "../../bpf/object.js";
import { reportedMapFlags } from "../../bpf/tables/map-flags.js";
import { SUBJECT_FIELDS } from "../../config/subject-fields.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { CommandSubject } from "../../hooks/command.js";
import type { Subject } from "../../hooks/subject.js";
import { COVERS_DEFINITION } from "../../hooks/subject-fields.js";
import { uncertainFacts } from "../../known-fact.js";
import type { FileSignatures } from "./file-signatures.js";
import { mapSubject } from "./map-subject.js";
import { type ProgramOrigin, programSubject } from "./program-subject.js";

/** One decision to ask for about a file. */
export interface Question {
  readonly hook: HookName;
  readonly subject: Subject;
  /** Facts whose values in a live load cannot be known from the file. */
  readonly unknown: readonly string[];
  /** Facts that are known from the file, but are null in a live load. */
  readonly offlineOnly: readonly string[];
}

/**
 * The decisions that a gate makes while libbpf loads the objects of a file, in the same order: first each map, then
 * each program, each before it is created or loaded and again before its fd is returned. A gate stops at the first
 * denial; this does not. The two commands of hook `bpf` that every load makes are included once. `signatures` finds
 * signatures over data by digest, and statements. With `relocate`, facts are those on a kernel. Throws what reading the
 * objects throws.
 */
export function loadQuestions(
  objects: readonly ObjectBytes[],
  file: FileFacts,
  signatures: Pick<FileSignatures, "ofData" | "ofObject">,
  relocate?: Relocator,
): readonly Question[] {
  const reasons: (readonly string[])[] = [];
  const facts = factsOfObjects(
    objects,
    (program, { effects }, { asDeclared }, relocated) => {
      if (relocated === null && countFilledIn(program) > 0) reasons.push([FILLED_IN]);
      else
        reasons.push([
          ...(relocated?.isDigestConstant === false ? [MODULE_FD] : []),
          ...(asDeclared ? [AS_DECLARED] : []),
          ...(effects.writes_shared_map && usesPinnedMap(program) ? [PINNED] : []),
        ]);
    },
    relocate,
  );
  const prefix = isEmbedded(objects) ? null : objectName(file.path);
  const questions = facts.flatMap((object, index) => {
    const statements = signatures.ofObject((objects[index] as ObjectBytes).bytes);
    return [
      ...object.maps.flatMap((map) => mapQuestions(map, prefix)),
      ...object.programs.flatMap((program) => {
        const origin = { signature: signatures.ofData(program.digest), ...statements.of(program), object: file };
        return programQuestions(program, origin, reasons.shift()!);
      }),
    ];
  });
  return withCommands(questions, facts);
}

/** A map is created, and its fd returned, before its contents are written, so the contents are not facts yet. */
function mapQuestions(map: MapFacts, prefix: string | null): readonly Question[] {
  const name = liveMapName(map.name, prefix);
  const definition = { ...map, name: shortName(name), contents: null };
  const unknown = unknownOfMap(map, prefix);
  const access = map.flags & RDONLY ? "r" : map.flags & WRONLY ? "w" : "rw";
  const created = { ...definition, flags: reportedMapFlags(map.type, map.flags) };
  return [
    { hook: "bpf_map_create", subject: mapSubject(definition, null), unknown, offlineOnly: [] },
    { hook: "bpf_map", subject: mapSubject(created, access), unknown, offlineOnly: [] },
  ];
}

function programQuestions(
  program: ProgramFacts,
  origin: Omit<ProgramOrigin, "kernel_signature" | "kernel_keyring">,
  ofFile: readonly string[],
): readonly Question[] {
  const reasons = [
    ...(origin.statements.length > 0 ? [SETTINGS] : []),
    ...(shortName(program.name) === program.name ? [] : [LONG_NAME]),
    ...ofFile,
  ];
  const uncertain = uncertainFacts(SUBJECT_FIELDS.program, "offline", [...reasons, REPORTED]);
  const maps = program.maps.map((map) => ({ ...map, flags: reportedMapFlags(map.type, map.flags) }));
  const subject = programSubject({ ...program, maps }, { ...origin, kernel_signature: null, kernel_keyring: null });
  const offlineOnly = uncertainFacts(
    SUBJECT_FIELDS.program,
    "gate",
    NAMES_TARGET.has(program.type) ? [] : [NAMES_NO_TARGET],
  ).filter((fact) => subject[fact as keyof ProgramSubject] !== null);
  const unknown = uncertain.filter((fact) => !FROM_KERNEL.includes(fact));
  return [
    { hook: "bpf_prog_load", subject, unknown, offlineOnly },
    { hook: "bpf_prog", subject, unknown: uncertain, offlineOnly },
  ];
}

/** Before its load, the kernel reports nothing about a program in any way of asking. */
const FROM_KERNEL: readonly string[] = programFactsFrom("kernel");

/** Program types for which bpf_attr names the attach target, by its BTF id. */
const NAMES_TARGET: ReadonlySet<string> = new Set(["tracing", "lsm", "struct_ops"]);

function usesPinnedMap({ linked }: ObjectProgram): boolean {
  return [...linked.references.values()].some((one) => one.to === "map" && !one.reference.map.own);
}

function countFilledIn(program: ObjectProgram): number {
  const kernel = [...program.linked.references.values()].filter(({ to }) => to === "kfunc" || to === "ksym");
  return program.rewrittenSlots().length + kernel.length;
}

/** BPF_F_RDONLY and BPF_F_WRONLY of linux/bpf.h: the access of user space to the map. */
const RDONLY = 1 << 3;
const WRONLY = 1 << 4;

function unknownOfMap(map: MapFacts, prefix: string | null): readonly string[] {
  const reasons = [
    ...(prefix === null && SECTION_OF_DATA.test(map.name) ? [MAP_DIFFERENCES.embedded] : []),
    ...(map.type === "struct_ops" ? [MAP_DIFFERENCES.structOps] : []),
    ...(isSizedByLoader(map) ? [MAP_DIFFERENCES.sizedByLoader] : []),
  ];
  return uncertainFacts(SUBJECT_FIELDS.map, "offline", reasons.length > 0 ? [...reasons, COVERS_DEFINITION] : []);
}

/** Whether the loader or libbpf sets max_entries. A value of 0 means that, except in local storage maps. */
function isSizedByLoader({ type, max_entries }: MapFacts): boolean {
  if (RINGS.has(type)) return max_entries < PAGE || Math.log2(max_entries) % 1 !== 0;
  return max_entries === 0 && !type.endsWith("_storage");
}

/** Maps whose size libbpf rounds up to a power of two of pages (adjust_ringbuf_sz). */
const RINGS: ReadonlySet<string> = new Set(["ringbuf", "user_ringbuf"]);
const PAGE = 4096;

/** The kernel stores 15 bytes of a name (BPF_OBJ_NAME_LEN is 16, with the NUL). */
const NAME_LENGTH = 15;

function shortName(name: string): string {
  const bytes = Buffer.from(name, "utf8");
  return bytes.length <= NAME_LENGTH ? name : bytes.subarray(0, NAME_LENGTH).toString("utf8");
}

/**
 * A section that becomes a map's name with the object's name before it: `.rodata`, but not `.data.custom`, which libbpf
 * does not change.
 */
const SECTION_OF_DATA = /^\.[^.]+$/;
/** The minimum number of bytes of the section's name that libbpf keeps (internal_map_name). */
const SECTION_LENGTH = 7;

/** The name that libbpf gives a map of global data, such as `tracer.rodata` in the object `tracer`. */
function liveMapName(name: string, prefix: string | null): string {
  if (prefix === null || !SECTION_OF_DATA.test(name)) return name;
  const room = NAME_LENGTH - Math.min(NAME_LENGTH, Math.max(SECTION_LENGTH, name.length));
  return `${prefix.slice(0, room)}${name}`.replaceAll(/[^A-Za-z0-9_.]/g, "_");
}

/** The name that libbpf gives the object in a file: the file's name up to the first dot. */
function objectName(path: string): string {
  return (path.split(/[/\\]/).at(-1) as string).split(".")[0] as string;
}

/** Inserts the commands before the first map and before the first program. */
function withCommands(questions: readonly Question[], objects: readonly ObjectFacts[]): readonly Question[] {
  const creates = objects.some(({ maps }) => maps.length > 0);
  const first = questions.findIndex(({ hook }) => hook === "bpf_prog_load");
  return [
    ...(creates ? [command("BPF_MAP_CREATE")] : []),
    ...questions.slice(0, first),
    command("BPF_PROG_LOAD"),
    ...questions.slice(first),
  ];
}

/** A command whose attributes are not read. Its size is unknown offline, since it is that of the loader's bpf_attr. */
function command(name: CommandName): Question {
  const facts: CommandSubject = { name, digest: "", cmd: CMD[name], size: null, ...NO_ATTR_FACTS };
  const unknown = uncertainFacts(SUBJECT_FIELDS.command, "offline", [COVERS_SIZE]);
  return { hook: "bpf", subject: withCommandDigest(facts), unknown, offlineOnly: [] };
}
