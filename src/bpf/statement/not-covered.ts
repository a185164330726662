import type { StatedMap, StatementContent } from "./content.js";

/** What a statement does not cover, one sentence each: user space, the loader or another program can change it. */
export function notCovered({ program: { object, programs } }: StatementContent): readonly string[] {
  const named = (maps: readonly StatedMap[]) => maps.map(({ name }) => name).join(", ");
  const rows: (readonly [what: string, maps: readonly StatedMap[]])[] = [
    ["initial contents of variables that programs or loaders write", object.maps.filter(isWritten)],
    ["the programs in program arrays", object.maps.filter(({ type }) => type === PROG_ARRAY)],
    ["the inner maps of maps of maps", object.maps.filter(({ inner }) => inner !== null)],
    ["the values of struct_ops tables", object.maps.filter(({ kind }) => kind === "struct_ops")],
    ["contents of other maps", object.maps.filter(({ kind, type }) => kind === "definition" && type !== PROG_ARRAY)],
  ];
  const atLoad = programs.filter(({ type }) => !TARGET_AT_LOAD.has(type)).map(({ name }) => name);
  return [
    ...rows.filter(([, maps]) => maps.length > 0).map(([what, maps]) => `${what}: ${named(maps)}`),
    ...(atLoad.length === 0 ? [] : [`where programs are attached after they are loaded: ${atLoad.join(", ")}`]),
    "names of maps and programs in the kernel, source lines, the verifier's log, kern_version and the token",
  ];
}

const PROG_ARRAY = 3;
/** BPF_PROG_TYPE_TRACING, STRUCT_OPS, EXT and LSM. */
const TARGET_AT_LOAD: ReadonlySet<number> = new Set([26, 27, 28, 29]);

const isWritten = ({ kind }: StatedMap) => kind === "data" || kind === "bss";
