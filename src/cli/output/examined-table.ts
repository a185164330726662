import { basename } from "node:path";
import { EFFECTS } from "../../bpf/model/facts.js";
import type { ProgramReport } from "../../loaded/model/objects.js";
import type { Scan } from "../../loaded/model/scan.js";
import type { ExaminedScan } from "../../loaded/scan.js";
import { visibleText } from "../../visible-text.js";
import type { TitledTable } from "./table.js";

type Examined = NonNullable<ExaminedScan["examined"]>;
type Known = NonNullable<ReturnType<Examined["identified"]["get"]>>["programs"][number];

/**
 * Which known program each one is, and what it can at most do. Those that are not known and can change something come
 * first, then the others that are not known. Below it, why programs are known by their tags alone.
 */
export function examinedTable({ programs }: Scan, examined: Examined): TitledTable {
  const inOrder = [...programs].sort((a, b) => rankOf(a, examined) - rankOf(b, examined));
  const rows = inOrder.map((program) => [String(program.id), knownAs(program.id, examined), canDo(program, examined)]);
  const { digestsReason, identified, notVerified } = examined;
  const needsDigests = [...identified.values()].some(({ by }) => by === "tag");
  const reasons = needsDigests && digestsReason !== null ? [`no digests: ${digestsReason}`] : [];
  const below = programs.length === 0 ? [] : [...reasons, ...reasonLines(notVerified)];
  return { title: "What programs are and can do", head: ["PROGRAM", "KNOWN AS", "CAN AT MOST"], rows, below };
}

/** Programs that are named with the reason why they are not verified. */
const SHOWN = 10;

/** `programs 37, 41 are not verified: …`. */
function reasonLines(notVerified: Examined["notVerified"]): readonly string[] {
  const byReason = new Map<string, number[]>();
  for (const [id, reason] of notVerified) byReason.set(reason, [...(byReason.get(reason) ?? []), id]);
  return [...byReason].map(([reason, ids]) => {
    const more = ids.length > SHOWN ? ` and ${ids.length - SHOWN} more` : "";
    const [noun, verb] = ids.length === 1 ? ["program", "is"] : ["programs", "are"];
    return `${noun} ${ids.slice(0, SHOWN).join(", ")}${more} ${verb} not verified: ${reason}`;
  });
}

function rankOf({ id }: ProgramReport, { identified, forms, effects }: Examined): number {
  if (identified.has(id) || forms.has(id)) return 2;
  return effects.get(id)?.effects?.read_only === true ? 1 : 0;
}

/**
 * `biolatency: block_rq_insert (digest)`, and how many other programs it can be; or, if it is not known, what it looks
 * like: `like systemd: device policy (form)`.
 */
export function knownAs(id: number, { identified, forms }: Pick<Examined, "identified" | "forms">): string {
  const identification = identified.get(id);
  const form = forms.get(id);
  if (identification === undefined) return form === undefined ? "-" : `like ${form.tool}: ${form.purpose} (form)`;
  const { by, programs } = identification;
  const first = programs[0]!;
  const others = new Set(programs.map(({ source, file, name }) => `${source} ${file} ${name}`)).size - 1;
  const more = others === 0 ? "" : `, or ${others} ${others === 1 ? "other" : "others"}`;
  return `${nameOf(first)}${packageText(first.package)}${more} (${by})`;
}

/** Number of characters of a SHA-256 that are shown. */
const SHORT = 12;

/** `biolatency: block_rq_insert`, by where the program is known from. */
function nameOf({ source, file, name }: Known): string {
  const where = visibleText(basename(file));
  if (source === "recorded") return `recorded instructions ${where.slice(0, SHORT)}`;
  const place =
    source === "statement" ? `statement ${where.slice(0, SHORT)}` : source === "list" ? `list ${where}` : where;
  return `${place}: ${visibleText(name)}`;
}

/** ` of bpftrace 0.23.2-1, changed`. */
export function packageText(its: Known["package"]): string {
  if (its === null) return "";
  const state = its.isUnchanged === null ? ", without checksum" : its.isUnchanged ? "" : ", changed";
  return ` of ${visibleText(its.name)} ${visibleText(its.version)}${state}`;
}

/** What a program can at most do, or why that may be anything. */
export function canDo({ id }: ProgramReport, { effects }: Pick<Examined, "effects">): string {
  const known = effects.get(id);
  if (known === undefined) return "-";
  if (known.unknown.length > 0) return `anything: ${known.unknown.join("; ")}`;
  const names = EFFECTS.filter((name) => known.effects?.[name] === true);
  if (names.length === 0) return "nothing";
  return `${known.effects?.read_only === true ? "read only: " : ""}${names.join(" ")}`;
}
