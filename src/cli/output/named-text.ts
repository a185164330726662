import { describeEvidence } from "../../bpf/report/evidence-text.js";
import type { LinkReport, MapReport, ProgramReport } from "../../loaded/model/objects.js";
import { keyOf, type ObjectName } from "../../loaded/model/references.js";
import type { Scan } from "../../loaded/model/scan.js";
import type { NamedScan } from "../../loaded/scan.js";
import { visibleText } from "../../visible-text.js";
import type { ScanVerdict } from "../loaded/scan-verdicts.js";
import { AttachedPlaces } from "./attached-places.js";
import { canDo, knownAs, packageText } from "./examined-table.js";
import { allHolders, holders } from "./holders.js";
import { loadedAt } from "./scan-lines.js";
import { timeOf } from "./scan-text.js";
import { titledText } from "./table.js";
import { verdictTable } from "./verdict-table.js";

/** Objects in full for a terminal, in the order in which they are named, then the verdicts about them. */
export function namedText(
  found: NamedScan,
  named: readonly ObjectName[],
  verdicts: readonly ScanVerdict[] | null,
): string {
  const places = new AttachedPlaces(found.scan);
  const texts = named.map((object) => objectLines(found, object, places).join("\n"));
  return [...texts, ...(verdicts === null ? [] : [titledText(verdictTable(verdicts))])].join("\n\n");
}

/** All that is known of one object of the scan; the first line is its heading. */
export function objectLines(found: NamedScan, { kind, id }: ObjectName, places: AttachedPlaces): readonly string[] {
  return LINES_OF[kind](found, id, places).map(visibleText);
}

type LinesOf = (found: NamedScan, id: number, places: AttachedPlaces) => readonly string[];

const LINES_OF: Readonly<Record<ObjectName["kind"], LinesOf>> = {
  program: programLines,
  map: mapLines,
  link: linkLines,
};

/** A line `label: first`, and below it the other ones. */
function labelled(label: string, values: readonly string[]): readonly string[] {
  const [first = "-", ...others] = values;
  return [
    `  ${`${label}:`.padEnd(WIDTH)}${first}`.trimEnd(),
    ...others.map((value) => `  ${" ".repeat(WIDTH)}${value}`),
  ];
}

const WIDTH = 14;

function byId<T extends { readonly id: number }>(objects: readonly T[], id: number): T {
  return objects.find((object) => object.id === id)!;
}

function programLines({ scan, examined, details }: NamedScan, id: number, places: AttachedPlaces): string[] {
  const program = byId(scan.programs, id);
  const { type, name, tag, uid, gplCompatible, runs, verifiedInsns, translated, jited } = program;
  const attachType = examined?.subjects.find(({ report }) => report.id === id)?.attachType;
  const code = details.programs.get(id);
  const unseen = places.unseen(program);
  const attached = [...places.ofProgram(id), ...unseen.map((way) => `no view of ${way}`)];
  return [
    `program ${id} ${name}`,
    ...labelled("type", [`${type}${attachType === undefined ? "" : `, attach type ${attachType}`}`]),
    ...labelled("tag", [tag]),
    ...labelled("digest", [examined?.digests.get(id) ?? "unknown"]),
    ...labelled("loaded", [`${timeOf(loadedAt(program, scan.bootTime))} (UTC) by uid ${uid}`]),
    ...labelled("licence", [gplCompatible ? "compatible with the GPL" : "not compatible with the GPL"]),
    ...labelled("size", [sizes({ verifiedInsns, translated, jited })]),
    ...(runs.count > 0n ? labelled("runs", [`${runs.count}, ${runs.nanoseconds} ns together`]) : []),
    ...labelled("known as", knownLines(examined, id)),
    ...labelled("can at most", effectLines(examined, program)),
    ...labelled("attached", attached),
    ...labelled("held by", holderLines(scan, { kind: "program", id }, places.tellOf(id))),
    ...labelled(
      "maps",
      program.maps.map((map) => mapName(scan, map)),
    ),
    ...(code === undefined ? [] : [...labelled("instructions", [code.reason ?? ""]), ...code.insns.flatMap(insnLines)]),
  ];
}

function sizes({ verifiedInsns, translated, jited }: Pick<ProgramReport, "verifiedInsns" | "translated" | "jited">) {
  const machine = jited === 0 ? "interpreted" : `${jited} bytes of machine code`;
  return `${translated / 8} translated instructions, ${machine}, ${verifiedInsns} instructions verified`;
}

/** Which known programs it is, or can be: all of them. */
function knownLines(examined: NamedScan["examined"], id: number): readonly string[] {
  const identification = examined?.identified.get(id);
  const reason = examined?.notVerified.get(id);
  const why = reason === undefined ? [] : [`not verified: ${reason}`];
  if (examined === null) return ["-"];
  const known = knownAs(id, examined);
  if (identification === undefined) return [known, ...why];
  const programs = identification.programs.map(({ source, file, offset, name, ...of }) => {
    const at = offset === null ? "" : `, object at byte ${offset}`;
    return `${source} ${file}${packageText(of.package)}: ${name || "-"}${at}`;
  });
  return [known, ...new Set(programs), ...why];
}

function effectLines(examined: NamedScan["examined"], program: ProgramReport): readonly string[] {
  if (examined === null) return ["-"];
  const its = examined.effects.get(program.id);
  const evidence = its === undefined || its.effects === null ? [] : its.evidence;
  return [canDo(program, examined), ...evidence.map((each) => `${each.effect}: ${describeEvidence(each)}`)];
}

function holderLines(scan: Scan, object: ObjectName, isAttached = false): readonly string[] {
  const all = allHolders(scan, object);
  const others = (scan.references.get(keyOf(object)) ?? []).flatMap((reference) =>
    reference.by === "process" || reference.by === "pin" ? [] : `${reference.by} ${reference.id}`,
  );
  return all.length + others.length === 0 ? [holders(scan, object, isAttached)] : [...all, ...new Set(others)];
}

function mapName(scan: Scan, id: number): string {
  const map = scan.maps.find((one) => one.id === id);
  return map === undefined ? `${id}` : `${id} ${map.name || "-"} (${map.type}${map.frozen === true ? ", frozen" : ""})`;
}

type Insn = NonNullable<ReturnType<NamedScan["details"]["programs"]["get"]>>["insns"][number];

function insnLines({ insn, function: begins, source, text, refers }: Insn): readonly string[] {
  return [
    ...(begins === null ? [] : [`  ${begins}:`]),
    ...(source === null ? [] : [`    ; ${source}`]),
    `  ${String(insn).padStart(6)}: ${text}${refers === null ? "" : `  # ${refers}`}`,
  ];
}

function mapLines({ scan, details }: NamedScan, id: number): readonly string[] {
  const map = byId(scan.maps, id);
  const its = details.maps.get(id);
  const users = scan.programs.filter(({ maps }) => maps.includes(id));
  const structure = scan.structOps.find((one) => one.map === id);
  return [
    `map ${id} ${map.name}`,
    ...labelled("type", [`${map.type}${structure === undefined ? "" : ` ${structure.structure ?? "unknown"}`}`]),
    ...labelled("key", [sized(map.keySize, its?.keyType ?? null)]),
    ...labelled("value", [sized(map.valueSize, its?.valueType ?? null)]),
    ...labelled("elements", [elementsText(map, its)]),
    ...labelled("flags", [`0x${map.flags.toString(16)}`]),
    ...labelled("frozen", [map.frozen === null ? "unknown" : map.frozen ? "yes" : "no"]),
    ...labelled(
      "used by",
      users.map(({ id: program, name, type }) => `program ${program} ${name || "-"} (${type})`),
    ),
    ...labelled("held by", holderLines(scan, { kind: "map", id })),
  ];
}

function sized(bytes: number, type: string | null): string {
  return `${bytes} bytes${type === null ? "" : `, ${type}`}`;
}

function elementsText({ maxEntries }: MapReport, its: ReturnType<NamedScan["details"]["maps"]["get"]>): string {
  const most = `at most ${maxEntries}`;
  if (its === undefined) return most;
  return its.elements === null ? `${most}; ${its.reason}` : `${its.elements}, ${most}`;
}

function linkLines({ scan }: NamedScan, id: number, places: AttachedPlaces): readonly string[] {
  const link = byId(scan.links, id);
  const program = scan.programs.find((one) => one.id === link.program);
  const name = program === undefined ? "" : ` ${program.name || "-"} (${program.type}, tag ${program.tag})`;
  return [
    `link ${id}`,
    ...labelled("type", [link.type]),
    ...labelled("program", link.program === null ? [] : [`${link.program}${name}`]),
    ...labelled("attached", [places.ofLink(link)]),
    ...labelled("target", targetLines(link)),
    ...labelled("held by", holderLines(scan, { kind: "link", id })),
  ];
}

function targetLines({ target }: LinkReport): readonly string[] {
  return Object.entries(target).map(([field, value]) => `${field} ${value ?? "-"}`);
}
