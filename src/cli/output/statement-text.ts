import { attachTypeName } from "../../bpf/object/section.js";
import {
  notCovered,
  type ProgramStatement,
  type StatedMap,
  type StatedObject,
  type StatedProgram,
  type StatedSetting,
  settingsOf,
} from "../../bpf/statement.js";
import { MAP_TYPES, PROGRAM_TYPES } from "../../bpf/tables/names.gen.js";
import { oneLine } from "../../error.js";
import { styled } from "./output.js";
import { table } from "./table.js";

/** Describes a statement for people. */
export function describeStatement(file: string, statement: ProgramStatement): string {
  const { content, sha256, programSha256 } = statement;
  const { object, programs } = content.program;
  const settings = settingsOf(content);
  return [
    `${styled("bold", file)}  statement, sha256 ${sha256}`,
    `  program part  sha256 ${programSha256}`,
    `  object        sha256 ${object.sha256}`,
    `                ${describeObject(object)}`,
    ...part(["PROGRAM", "TYPE", "ATTACH TYPE", "SECTION", "TARGET", "COVERED"], programs.map(programRow)),
    ...part(["MAP", "TYPE", "KEY", "VALUE", "ENTRIES", "FLAGS", "COVERED"], object.maps.map(mapRow)),
    ...part(["EXTERN", "KIND", "OPTIONAL"], object.externs.map(externRow)),
    ...part(["SETTING", "KIND", "TYPE", "DECLARED", "MAY BE"], settings.map(settingRow)),
    ...list("opened by the signer, so that a loader may change it", content.rules.open),
    ...list("not covered", notCovered(content)),
  ].join("\n");
}

/** For `--json`: the statement with its digests, its settings, and what it does not cover. */
export function statementJson(file: string, { content, sha256, programSha256 }: ProgramStatement): unknown {
  const settings = settingsOf(content);
  return { file, sha256, program_sha256: programSha256, ...content, settings, not_covered: notCovered(content) };
}

function describeObject({ byte_order, license, btf }: StatedObject): string {
  const size = btf === null ? "no BTF" : `BTF of ${Buffer.byteLength(btf, "base64")} bytes`;
  return `${byte_order}-endian, licence ${oneLine(license) || "none"}, ${size}`;
}

function programRow(program: StatedProgram): string[] {
  const { name, type, expected_attach_type, section, attach_target, flags } = program;
  const count = Buffer.byteLength(program.insns, "base64") / 8;
  const functions = program.functions.length;
  const covered = [
    `${count} insns`,
    `${functions} ${functions === 1 ? "function" : "functions"}`,
    `${program.relocations.length} CO-RE ${program.relocations.length === 1 ? "relocation" : "relocations"}`,
    ...(flags === 0 ? [] : [`flags ${flags}`]),
  ];
  const typeName = PROGRAM_TYPES[type] ?? String(type);
  const attachType = attachTypeName(typeName, expected_attach_type) ?? "-";
  return [name, typeName, attachType, section, attach_target ?? "-", covered.join(", ")];
}

function mapRow(map: StatedMap): string[] {
  const type = MAP_TYPES[map.type] ?? String(map.type);
  const numbers = [map.key_size, map.value_size, map.max_entries, map.map_flags].map(String);
  const covered = [
    ...(map.kind === "rodata" ? ["contents outside of settings"] : []),
    ...(map.kind === "kconfig" ? ["contents, as the kernel's configuration has them"] : []),
    ...(map.pinning === 0 ? [] : ["pinned by name"]),
    ...(map.numa_node === 0 ? [] : [`NUMA node ${map.numa_node}`]),
    ...(map.map_extra === "0" ? [] : [`map_extra ${map.map_extra}`]),
    ...(map.inner === null ? [] : [`inner ${MAP_TYPES[map.inner.type] ?? map.inner.type}`]),
  ];
  return [map.name, type, ...numbers, covered.join(", ") || "definition"];
}

function externRow({ name, kind, weak }: StatedObject["externs"][number]): string[] {
  return [name, kind, weak ? "yes" : "no"];
}

function settingRow({ name, kind, type, declared, fixed }: StatedSetting): string[] {
  return [name, kind, type ?? "-", shown(declared), fixed === null ? "any value" : `${shown(fixed)}, fixed`];
}

/** Maximum length of a value: that of an array may have thousands of digits. */
const MAX_SHOWN = 32;

function shown(value: number | string): string {
  const text = String(value);
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
}

function part(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return rows.length === 0 ? [] : ["", indented(table(head, rows.map(clean)))];
}

/** Names in a statement of somebody else may have control characters. */
const clean = (row: readonly string[]) => row.map(oneLine);

function list(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", `  ${styled("bold", title)}`, ...lines.map((line) => `    ${oneLine(line)}`)];
}

function indented(text: string): string {
  return text.replace(/^/gm, "  ");
}
