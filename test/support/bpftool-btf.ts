/** Map definitions of an object as bpftool prints its BTF. */
import { execFileSync } from "node:child_process";

export interface DumpedMap {
  readonly name: string;
  readonly type: string;
  readonly key_size: number;
  /** Null where no tool says. */
  readonly value_size: number | null;
  readonly max_entries: number;
}

interface Type {
  readonly id: number;
  readonly kind: string;
  readonly name: string;
  readonly type_id?: number;
  readonly size?: number;
  readonly nr_elems?: number;
  readonly members?: readonly { readonly name: string; readonly type_id: number }[];
  readonly vars?: readonly { readonly type_id: number }[];
}

export interface DumpedBtf {
  /** The maps of `.maps`, by name. */
  readonly maps: ReadonlyMap<string, DumpedMap>;
  /** Names of the variables of `.kconfig`. */
  readonly kconfig: ReadonlySet<string>;
  /** By program: the function that a tag names as its exception callback. */
  readonly exceptionCallbacks: ReadonlyMap<string, string>;
}

export function dumpedBtf(path: string): DumpedBtf {
  const dump = execFileSync("bpftool", ["-j", "btf", "dump", "file", path], { encoding: "utf8", maxBuffer: 1 << 28 });
  const types = new Map((JSON.parse(dump) as { types: Type[] }).types.map((type) => [type.id, type]));
  const variables = (section: string) =>
    [...types.values()]
      .find(({ kind, name }) => kind === "DATASEC" && name === section)
      ?.vars?.map(({ type_id }) => types.get(type_id) as Type) ?? [];
  return {
    maps: new Map(variables(".maps").map((variable) => [variable.name, mapOf(variable, types)])),
    kconfig: new Set(variables(".kconfig").map(({ name }) => name)),
    exceptionCallbacks: new Map(
      [...types.values()]
        .filter(({ kind, name }) => kind === "DECL_TAG" && name.startsWith("exception_callback:"))
        .map(({ name, type_id }) => [types.get(type_id ?? 0)?.name ?? "", name.replace(/^[^:]*:/, "")]),
    ),
  };
}

type Types = ReadonlyMap<number, Type>;

function mapOf(variable: Type, types: Types): DumpedMap {
  const members = new Map(plain(variable.type_id, types).members?.map(({ name, type_id }) => [name, type_id]));
  const behind = (name: string) => {
    const pointer = members.get(name);
    return pointer === undefined ? undefined : plain(plain(pointer, types).type_id, types);
  };
  const number = (name: string) => behind(name)?.nr_elems ?? 0;
  const size = (name: string) => {
    const type = behind(name);
    return type === undefined ? number(`${name}_size`) : sizeOf(type, types);
  };
  const holds = members.has("values");
  return {
    name: variable.name,
    type: typeNames()[number("type")] as string,
    key_size: size("key"),
    value_size: holds ? 4 : size("value"),
    max_entries: number("max_entries"),
  };
}

/** The type behind typedefs and qualifiers. */
function plain(id: number | undefined, types: Types): Type {
  const type = types.get(id ?? 0) ?? { id: 0, kind: "VOID", name: "" };
  return ["TYPEDEF", "CONST", "VOLATILE", "RESTRICT"].includes(type.kind) ? plain(type.type_id, types) : type;
}

function sizeOf(type: Type, types: Types): number {
  if (type.kind === "PTR") return 8;
  if (type.kind === "ARRAY") return (type.nr_elems ?? 0) * sizeOf(plain(type.type_id, types), types);
  return type.size ?? 0;
}

let names: readonly string[] | undefined;

function typeNames(): readonly string[] {
  const list = ["-j", "feature", "list_builtins", "map_types"];
  names ??= JSON.parse(execFileSync("bpftool", list, { encoding: "utf8" })) as string[];
  return names;
}
