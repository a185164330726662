import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InstalledObject } from "../../support/real-objects.js";

/** What a loader does with one program of an object on one kernel. */
export interface Recording {
  readonly object: string;
  readonly program: string;
  readonly section: string;
  /** What libbpf passes to BPF_PROG_LOAD; null where it refuses. */
  readonly load: RecordedLoad | null;
  /**
   * Why libbpf refuses the program as it is: its errno and warnings; null where it does not. If both are null, libbpf
   * crashed.
   */
  readonly refusal: Refusal | null;
  /**
   * The function that the program was given, because its own does not exist: then both `load` and `refusal` are set.
   * `none` if it got a type without targets.
   */
  readonly target: string | null;
}

export interface Refusal {
  readonly errno: number;
  /** libbpf's warnings, a line each. */
  readonly log: readonly string[];
}

export interface RecordedLoad {
  readonly type: number;
  readonly attachType: number;
  readonly flags: number;
  readonly attachBtfId: number;
  /** `vmlinux`, the name of a module, or empty. */
  readonly attachBtf: string;
  readonly coreRelocations: number;
  readonly functionInfo: Uint8Array;
  /** The BTF that the loader loads with the program; null if there is none. */
  readonly btf: Uint8Array | null;
  /** The contents of the object's map `.kconfig`; null if there is none. */
  readonly kconfig: Uint8Array | null;
  /** Names of the BTFs of `fd_array`, as far as calls of kfuncs refer to it. */
  readonly fdArray: readonly string[];
  /** Each reference to a map: slot, src_reg, number of the map, offset. */
  readonly maps: readonly (readonly [slot: number, src: number, map: number, offset: number])[];
  /** Each reference to a variable of the kernel: slot, and the name of the BTF. */
  readonly btfs: readonly (readonly [slot: number, btf: string])[];
  /** Fds and offsets of maps and fds of BTF are zero. */
  readonly insns: Uint8Array;
}

/** What was recorded of several objects. */
export interface Recordings {
  /** Version of the loader. */
  readonly loader: string;
  readonly programs: readonly Recording[];
  /** Of each object that libbpf loads at once. */
  readonly times: readonly LoadTime[];
  /** What libbpf asked of the kernel only to learn what it supports. */
  readonly probes: readonly RecordedProbe[];
}

/** A call of bpf(2) and its answer. */
export interface RecordedProbe {
  /** JSON of the command and what its attr has. */
  readonly call: string;
  /** 0 for success. */
  readonly errno: number;
}

/** Nanoseconds until the first program is loaded, without bpf(2). */
export interface LoadTime {
  readonly own: number;
  /** What of that libbpf 1.5 needs to read the kernel's BTF; 0 if it does not need it. */
  readonly vmlinux: number;
}

/** A loader that is recorded. */
export interface Recorder {
  /**
   * Has it load objects on the kernel in a folder, each program by itself if `separately` or if the whole cannot be
   * loaded.
   */
  record(kernel: string, objects: readonly InstalledObject[], separately?: boolean): Recordings;
  close(): void;
}

/** Runs a recorder on objects that it gets as files. */
export function withFiles(objects: readonly InstalledObject[], run: (paths: readonly string[]) => string): Recordings {
  const folder = mkdtempSync(join(tmpdir(), "countersign-objects-"));
  try {
    const names = new Map(objects.map(({ name }, index) => [join(folder, `${index}.o`), name]));
    for (const [index, path] of [...names.keys()].entries()) writeFileSync(path, objects[index]!.bytes);
    return recordingsOf(run([...names.keys()]), (path) => names.get(path)!);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type Event =
  | { readonly event: "loader"; readonly version: string }
  | {
      readonly event: "object";
      readonly object: string;
      readonly programs: readonly { readonly name: string; readonly section: string }[];
    }
  | { readonly event: "attempt"; readonly program: string | null }
  | { readonly event: "retarget"; readonly program: string; readonly target: string }
  | { readonly event: "btf"; readonly btf: number; readonly bytes: string }
  | { readonly event: "map"; readonly map: number; readonly name: string }
  | { readonly event: "contents"; readonly map: number; readonly contents: string }
  | { readonly event: "crash" }
  | ({ readonly event: "probe"; readonly errno: number } & Readonly<Record<string, unknown>>)
  | ProgramEvent
  | {
      readonly event: "result";
      readonly errno: number;
      readonly own_ns: number;
      readonly vmlinux_ns?: number;
      readonly log: string;
    };

interface ProgramEvent {
  readonly event: "program";
  readonly name: string;
  readonly type: number;
  readonly attach_type: number;
  readonly flags: number;
  readonly attach_btf_id: number;
  readonly attach_btf: string;
  readonly core_relo_cnt: number;
  readonly func_info: string;
  readonly btf: number;
  readonly fd_array: RecordedLoad["fdArray"];
  readonly maps: RecordedLoad["maps"];
  readonly btfs: RecordedLoad["btfs"];
  readonly insns: string;
}

type Writable = { -readonly [Key in keyof Recording]: Recording[Key] };

/** Reads the lines that a recorder writes. `nameOf` is the name of an object by its path. */
export function recordingsOf(output: string, nameOf: (path: string) => string): Recordings {
  const programs: Writable[] = [];
  let loader = "";
  let object: Map<string, Writable> = new Map();
  const times = new Map<typeof object, LoadTime>();
  const probes: RecordedProbe[] = [];
  let program: string | null = null;
  let failure: Refusal | null = null;
  let loads: ProgramEvent[] = [];
  /** The number of the map. */
  let kconfig: number | null = null;
  let kconfigContents: Uint8Array | null = null;
  const btfs = new Map<number, Uint8Array>();
  for (const line of output.split("\n")) {
    if (line === "") continue;
    const event = JSON.parse(line) as Event;
    switch (event.event) {
      case "loader":
        loader = event.version;
        break;
      case "object": {
        const empty = { object: nameOf(event.object), load: null, refusal: null, target: null };
        object = new Map(event.programs.map(({ name, section }) => [name, { ...empty, program: name, section }]));
        programs.push(...object.values());
        break;
      }
      case "map":
        if (event.name.endsWith(".kconfig")) kconfig = event.map;
        break;
      case "contents":
        if (event.map === kconfig) kconfigContents = Buffer.from(event.contents, "hex");
        break;
      case "btf":
        btfs.set(event.btf, Buffer.from(event.bytes, "hex"));
        break;
      case "probe": {
        const { event: _, errno, ...call } = event;
        probes.push({ call: JSON.stringify(call), errno });
        break;
      }
      case "attempt":
        program = event.program;
        loads = [];
        kconfig = null;
        break;
      case "retarget": {
        const its = object.get(event.program)!;
        its.refusal ??= failure;
        its.target = event.target;
        break;
      }
      case "program":
        loads.push(event);
        break;
      case "result": {
        // The last attempt counts, in which all targets exist.
        if (program === null) times.set(object, { own: event.own_ns, vmlinux: event.vmlinux_ns ?? 0 });
        if (event.errno === 0)
          for (const load of loads) {
            // Programs of struct_ops are loaded with their table, whatever was asked for.
            if (program !== null && !isNameOf(load.name, program)) continue;
            const its = object.get(program ?? load.name)!;
            its.load = { ...loadOf(load, btfs), kconfig: kconfig === null ? null : kconfigContents };
          }
        else {
          failure = { errno: event.errno, log: event.log.split("\n").filter(Boolean) };
          if (program !== null) object.get(program)!.refusal ??= failure;
        }
        break;
      }
    }
  }
  return { loader, times: [...times.values()], programs, probes };
}

/** The programs that a recorder wrote down, by the names that the kernel gets. */
export function programsIn(output: string): readonly { readonly name: string; readonly load: RecordedLoad }[] {
  const events = output.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Event]));
  const btfs = new Map(
    events.flatMap((event) => (event.event === "btf" ? [[event.btf, Buffer.from(event.bytes, "hex")] as const] : [])),
  );
  return events.flatMap((event) =>
    event.event === "program" ? [{ name: event.name, load: loadOf(event, btfs) }] : [],
  );
}

/** Whether the kernel's name of a program, which may be cut, is this name. */
function isNameOf(cut: string, name: string): boolean {
  return cut.length === MAX_NAME ? name.startsWith(cut) : name === cut;
}

/** BPF_OBJ_NAME_LEN, without the NUL. */
const MAX_NAME = 15;

function loadOf(event: ProgramEvent, btfs: ReadonlyMap<number, Uint8Array>): RecordedLoad {
  return {
    type: event.type,
    attachType: event.attach_type,
    flags: event.flags,
    attachBtfId: event.attach_btf_id,
    attachBtf: event.attach_btf,
    coreRelocations: event.core_relo_cnt,
    functionInfo: Buffer.from(event.func_info, "hex"),
    btf: btfs.get(event.btf) ?? null,
    kconfig: null,
    fdArray: event.fd_array,
    maps: event.maps,
    btfs: event.btfs,
    insns: Buffer.from(event.insns, "hex"),
  };
}
