import { Btf } from "../../bpf/btf/btf.js";
import { BpfObject } from "../../bpf/object.js";
import { loadedBtf } from "../../bpf/recognition/loaded-btf.js";
import { type ProgramPart, programPartOf, type StatedMap } from "../../bpf/statement.js";
import { CountersignError } from "../../error.js";
import { ROOT_ATTACH_FLAGS } from "../guard/hooks.js";
import { HEADER, IMAGE_MAGIC, KEY, MAP, ON_FAILURE, PATCH } from "./image-layout.js";
import { writePrograms } from "./image-programs.js";
import { ImageWriter, putFields, putRange, type Range } from "./image-writer.js";

/** What the caller decides of a guard. */
export interface ImageOptions {
  /** GUARD_MODE_AUDIT or GUARD_MODE_ENFORCE of interface.h. */
  readonly mode: number;
  /** What the loader does as pid 1 if it cannot seal. */
  readonly onFailure: keyof typeof ON_FAILURE;
  readonly guardVersion: number;
  /** Values of `const volatile` variables in `.rodata` by symbol; a number is written in the variable's size. */
  readonly settings?: Readonly<Record<string, number | bigint | Uint8Array>>;
  /** Elements of array maps by name, value after value. They also set the number of entries. */
  readonly contents?: Readonly<Record<string, Uint8Array>>;
  /** Fewest elements of array maps by name, for those that have fewer {@link contents}. */
  readonly room?: Readonly<Record<string, number>>;
  /** Names of programs that the image leaves out. */
  readonly without?: readonly string[];
  /** struct guard_status; the loader fills in version, mode, ids and times. */
  readonly status?: Uint8Array;
  /** SHA-256 in hex of the BTF of the only kernel on which the loader may seal. */
  readonly kernelBtf?: string;
  /** Certificates (DER) for the keyrings that the loader makes in the kernel, which nobody can change afterwards. */
  readonly keys?: Readonly<Partial<Record<keyof typeof KEY.rings, readonly Uint8Array[]>>>;
  /** Whether the verifier's log shows lines of the source: for development. */
  readonly lines?: boolean;
}

/** The map that holds struct guard_status. */
const STATUS_MAP = "guard_status";
/** Variables of `.rodata` that the loader sets. */
const PATCHED: Readonly<Record<keyof typeof PATCH.kinds, string>> = {
  loader_tgid: "guard_loader_tgid",
  list_ring: "guard_list_ring",
  program_ring: "guard_program_ring",
  kernel_btf: "guard_kernel_btf",
};

/**
 * The image (image.h) of a guard's object file, by which the loader needs no ELF parser. Throws ELF_… and BTF_…
 * errors for an object that cannot be read, and ELF_UNSUPPORTED for one that has not what the options name.
 */
export function imageOf(bytes: Uint8Array, options: ImageOptions): Uint8Array {
  const object = new BpfObject(bytes);
  const part = partWithout(programPartOf(bytes), options.without ?? []);
  const original = object.elf.section(".BTF")?.data;
  if (original === undefined || object.elf.order !== "little") throw unsupported("has no BTF, or is big-endian");
  const btf = loadedBtf(original, part.object);
  const data = new Contents(object);
  for (const [symbol, value] of Object.entries(options.settings ?? {})) data.set(symbol, value);
  const names = part.object.maps.map(({ name }) => name);
  for (const name of Object.keys({ ...options.contents, ...options.room }))
    if (!names.includes(name)) throw unsupported(`has no map \`${name}\``);
  const statusMap = names.indexOf(STATUS_MAP);
  if (statusMap === -1) throw unsupported(`has no map \`${STATUS_MAP}\``);
  const patches = (Object.keys(PATCHED) as (keyof typeof PATCHED)[]).flatMap((kind) => {
    const { section, offset } = data.place(PATCHED[kind]);
    return [names.indexOf(section), offset, PATCH.kinds[kind]];
  });

  const writer = new ImageWriter();
  const header = Buffer.alloc(HEADER.size);
  writer.add(header);
  const ranges: Record<keyof typeof HEADER.ranges, Range> = {
    btf: writer.add(btf),
    maps: writeMaps(part.object.maps, new Btf(btf), data, options, writer),
    programs: writePrograms(object, part, writer, options.lines ?? false),
    patches: writer.words(patches),
    keys: writeKeys(options.keys ?? {}, writer),
    license: writer.add(Buffer.from(`${object.license}\0`)),
    status: writer.add(options.status ?? new Uint8Array(part.object.maps[statusMap]!.value_size)),
  };
  const image = writer.bytes();
  IMAGE_MAGIC.copy(image, 0);
  putFields(image, HEADER.fields, {
    size: image.length,
    guard_version: options.guardVersion,
    mode: options.mode,
    on_failure: ON_FAILURE[options.onFailure],
    status_map: statusMap,
    attach_flags: ROOT_ATTACH_FLAGS,
  });
  image.write(options.kernelBtf ?? "", HEADER.kernel_btf, "hex");
  for (const name of Object.keys(HEADER.ranges) as (keyof typeof HEADER.ranges)[])
    putRange(image, HEADER.ranges[name], ranges[name]);
  return image;
}

/** Throws ELF_UNSUPPORTED if the object has no program of one of the names. */
function partWithout(part: ProgramPart, names: readonly string[]): ProgramPart {
  const missing = names.find((name) => !part.programs.some((program) => program.name === name));
  if (missing !== undefined) throw unsupported(`has no program \`${missing}\``);
  return { ...part, programs: part.programs.filter(({ name }) => !names.includes(name)) };
}

/** Initial contents of `.rodata` and `.data`, with the settings. */
class Contents {
  readonly #bySection = new Map<string, Buffer>();

  constructor(private readonly object: BpfObject) {
    for (const { name, data } of object.objectMaps.all())
      if (data !== null) this.#bySection.set(name, Buffer.from(data));
  }

  of(map: string): Uint8Array | null {
    return this.#bySection.get(map) ?? null;
  }

  set(name: string, value: number | bigint | Uint8Array): void {
    const { section, offset, size } = this.place(name);
    const bytes = typeof value === "object" ? value : integer(BigInt(value), size);
    if (bytes.length > size) throw unsupported(`variable \`${name}\` has ${size} bytes, not ${bytes.length}`);
    this.#bySection.get(section)!.set(bytes, offset);
  }

  /** Where a variable is. Throws ELF_UNSUPPORTED if the object has none of this name. */
  place(name: string): { readonly section: string; readonly offset: number; readonly size: number } {
    const symbol = [...this.object.symbols.data.values()].flat().find((each) => each.name === name);
    const section = symbol === undefined ? undefined : this.object.elf.sections[symbol.section]?.name;
    if (symbol === undefined || section === undefined || !this.#bySection.has(section))
      throw unsupported(`has no variable \`${name}\``);
    return { section, offset: symbol.value, size: symbol.size };
  }
}

function integer(value: bigint, size: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return bytes.subarray(0, size);
}

function writeKeys(keys: NonNullable<ImageOptions["keys"]>, writer: ImageWriter): Range {
  const structs = (Object.keys(keys) as (keyof typeof KEY.rings)[]).flatMap((ring) =>
    keys[ring]!.map((certificate) => {
      const struct = Buffer.alloc(KEY.size);
      struct.writeUInt32LE(KEY.rings[ring], 0);
      putRange(struct, KEY.certificate, writer.add(certificate));
      return struct;
    }),
  );
  return writer.add(Buffer.concat(structs));
}

/** Map types whose elements have no BTF (libbpf's bpf_object__create_map). */
const WITHOUT_BTF: ReadonlySet<number> = new Set([4, 7, 8, 12, 13, 14, 15, 16, 17, 18, 25, 27, 31]);

function writeMaps(
  maps: readonly StatedMap[],
  btf: Btf,
  data: Contents,
  { contents: given = {}, room = {} }: ImageOptions,
  writer: ImageWriter,
): Range {
  const structs = maps.map((map) => {
    const elements = given[map.name];
    const contents = elements ?? data.of(map.name);
    if (elements !== undefined && elements.length % map.value_size !== 0)
      throw unsupported(
        `map \`${map.name}\` has values of ${map.value_size} bytes: ${elements.length} are no multiple`,
      );
    if (map.inner !== null || map.kind === "struct_ops" || map.kind === "kconfig")
      throw unsupported(`map \`${map.name}\` is of a kind that the loader does not create`);
    const withBtf = !WITHOUT_BTF.has(map.type);
    const struct = Buffer.alloc(MAP.size);
    struct.write(kernelName(map.name), 0, "latin1");
    putFields(struct, MAP.fields, {
      type: map.type,
      key_size: map.key_size,
      value_size: map.value_size,
      max_entries: Math.max((elements?.length ?? 0) / map.value_size, room[map.name] ?? map.max_entries),
      map_flags: map.map_flags,
      btf_key_type_id: withBtf ? map.key_type_id : 0,
      btf_value_type_id: withBtf ? map.value_type_id || btf.section(map.name) : 0,
      frozen: map.kind === "rodata" ? 1 : 0,
    });
    struct.writeBigUInt64LE(BigInt(map.map_extra), MAP.map_extra);
    putRange(struct, MAP.contents, writer.add(contents ?? new Uint8Array(0)));
    return struct;
  });
  return writer.add(Buffer.concat(structs));
}

/** `guard.rodata` for `.rodata`; at most 15 bytes. */
function kernelName(name: string): string {
  return (name.startsWith(".") ? `guard${name}` : name).slice(0, 15);
}

function unsupported(message: string): CountersignError {
  return new CountersignError("ELF_UNSUPPORTED", message, {
    place: "guard",
    remedy: "build the guard again from src/seal/guard",
  });
}
