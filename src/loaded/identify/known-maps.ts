import { type ProgramPart, settingsOf } from "../../bpf/statement.js";
import { MAP_TYPES } from "../../bpf/tables/names.gen.js";
import type { KnownMap } from "./known-program.js";

/** The maps of an object by a statement about it, in libbpf's order. Throws BTF_MALFORMED. */
export function statedKnownMaps(program: ProgramPart): readonly KnownMap[] {
  const settings = settingsOf({ version: 1, program, rules: { fixed: [], open: [] } });
  return program.object.maps.map(({ name, type, data }, index) => ({
    name,
    type: MAP_TYPES[type] ?? String(type),
    index,
    fixed:
      data === null
        ? null
        : {
            bytes: Buffer.from(data, "base64"),
            settings: settings.filter(({ map, kind }) => map === index && kind === "variable"),
          },
  }));
}
