import { programTypeName } from "../../../bpf/object/section.js";
import { MAP_TYPES } from "../../../bpf/tables/names.gen.js";
import { ERRNO } from "../../../errno.js";
import type { MapReference, ProgramReference } from "../../../hooks/command.js";
import { linkedProgram, mapInfo, programInfo, programNumbers } from "../../../sys/bpf.js";
import type { Attr } from "../../call/attr.js";
import type { Call } from "../../call/call.js";
import { checked, failWith } from "../../call/failure.js";
import { FILE_NAMES, fileNameOf, type ObjectKind } from "./object-kind.js";

/** The BPF object of an fd, and whether the gate issued it here. */
export interface Held {
  readonly kind: "program" | "map" | "link";
  /** The program, or the program of a link; null for a map, and for a link without a program. */
  readonly program: ProgramReference | null;
  readonly map: MapReference | null;
  /** The program's type as a number (enum bpf_prog_type); 0 for a map or link. */
  readonly programType: number;
  /** The attach target that the program was loaded for; null if unknown. */
  readonly attachTo: string | null;
  readonly judged: boolean;
  /** Name for messages, such as `program 17`. */
  readonly title: string;
}

/**
 * Returns the BPF object of one of the call's copied fds; null if it is no program, map or link, for which the kernel
 * then returns an error. Each fd is inspected only once.
 */
export function heldBy(call: Call, fd: number): Held | null {
  let known = lookedAt.get(call);
  if (known === undefined) {
    known = new Map();
    lookedAt.set(call, known);
  }
  let held = known.get(fd);
  if (held === undefined) {
    held = KINDS[FILE_NAMES[fileNameOf(fd)] ?? "unknown"]?.(call, fd) ?? null;
    known.set(fd, held);
  }
  return held;
}

/**
 * Returns the object of the fd at an offset of attr, or fails with the kernel's errno if there is none. Used for
 * commands for which the kernel checks the fd before it reads the memory that attr points to.
 */
export function objectAt(call: Call, given: Attr, at: number): Held {
  return heldBy(call, checked(call.task.fd(given.s32(at)))) ?? failWith(ERRNO.EINVAL);
}

const lookedAt = new WeakMap<Call, Map<number, Held | null>>();

/** The kinds of objects that a command can use, attach or pin. */
const KINDS: Readonly<Partial<Record<ObjectKind | "unknown", (call: Call, fd: number) => Held | null>>> = {
  program: (call, fd) => programHeld(call, fd),
  map: (call, fd) => {
    const info = mapInfo(fd);
    if (typeof info === "number") return null;
    const map = { name: info.name, type: MAP_TYPES[info.type] ?? "unknown" };
    const judged = call.listener.objects.map(info.id) !== undefined;
    return { kind: "map", program: null, map, programType: 0, attachTo: null, judged, title: `map ${info.id}` };
  },
  link: (call, fd) => linkHeld(call, fd),
};

function linkHeld(call: Call, fd: number): Held | null {
  const id = linkedProgram(fd);
  if (id < 0) return null;
  const program = call.listener.objects.program(id);
  return {
    kind: "link",
    program: program === null ? null : referenceTo(program),
    map: null,
    programType: 0,
    attachTo: null,
    // id 0: the link of a struct_ops map, which has no program
    judged: id === 0 || program !== null,
    title: `link of program ${id}`,
  };
}

function programHeld(call: Call, fd: number): Held | null {
  const numbers = programNumbers(fd);
  if (typeof numbers === "number") return null;
  const { type, id } = numbers;
  const known = call.listener.objects.program(id);
  const program = known === null ? referenceBy(fd) : referenceTo(known);
  if (program === null) return null;
  return {
    kind: "program",
    program,
    map: null,
    programType: type,
    attachTo: known?.attach_to ?? null,
    judged: known !== null,
    title: `program ${id}`,
  };
}

/** Describes a program that the gate did not issue here, from what the kernel reports. */
function referenceBy(fd: number): ProgramReference | null {
  const info = programInfo(fd);
  if (typeof info === "number") return null;
  return { name: info.name, type: programTypeName(info.type), tag: info.tag, digest: null };
}

function referenceTo({ name, type, tag, digest }: ProgramReference): ProgramReference {
  return { name, type, tag, digest };
}
