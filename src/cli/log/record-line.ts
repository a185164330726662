import { verdictName } from "../../errno.js";
import type { ReadRecord } from "../../log/read-record.js";
import { styled } from "../output/output.js";
import { visibleText } from "../output/visible-text.js";
import { isAuditDenial, isDenied } from "./record-filter.js";

type Style = Parameters<typeof styled>[0];
/** A part of a line, with its style if it has one. */
type Part = string | readonly [style: Style, text: string];

/**
 * A record on one line: time, id, what became of it, hook, subject, who asked, and why. Strings can have any content,
 * and fields can be missing.
 */
export function recordLine(record: ReadRecord): string {
  const { time = "(no time)", type = "(no type)" } = record;
  const parts = PARTS.get(type)?.(record) ?? [`record of type ${type}`];
  return [["dim", time] as const, ...parts].map(rendered).join(" ");
}

/** The parts after the time, by the type of the record. */
const PARTS = new Map<string, (record: ReadRecord) => readonly Part[]>(Object.entries({ decision, keyring }));

function rendered(part: Part): string {
  return typeof part === "string" ? visibleText(part) : styled(part[0], visibleText(part[1]));
}

function decision(record: ReadRecord): readonly Part[] {
  const { id = "(no id)", hook = "(no hook)", subject } = record;
  const { word, style } = outcomeOf(record);
  const reasons = reasonsOf(record);
  const asked = `for ${caller(record)}${reasons.length === 0 ? "" : ":"}`;
  const why = reasons.length === 0 ? [] : [reasons.join("; ")];
  return [["dim", id], [style, word], hook, `\`${subject?.name ?? ""}\``, asked, ...why];
}

/** What became of a decision, and its style. */
function outcomeOf(record: ReadRecord): { readonly word: string; readonly style: Style } {
  const { verdict = 0, enforced_verdict = verdict, loader_probe } = record;
  const name = verdictName(enforced_verdict);
  if (isDenied(record))
    return verdict < 0 ? { word: `denied ${name}`, style: "red" } : { word: `would deny ${name}`, style: "yellow" };
  if (isAuditDenial(record)) return { word: "audit denial", style: "yellow" };
  return { word: loader_probe === undefined ? "allowed" : "allowed probe", style: "green" };
}

/** `tc (pid 4711, uid 0, container router)`. */
function caller({ current }: ReadRecord): string {
  const { comm = "", pid, uid, container } = current ?? {};
  const named = container?.name ?? container?.id;
  const parts = [
    ...(pid === undefined || pid === 0 ? [] : [`pid ${pid}`]), // 0: `check` asked, and no task
    ...(uid === undefined ? [] : [`uid ${uid}`]),
    ...(named === undefined ? [] : [`container ${named}${labelsOf(container?.labels)}`]),
  ];
  return `${comm === "" ? "a task" : comm} (${parts.join(", ")})`;
}

function labelsOf(labels: Readonly<Record<string, string | undefined>> | null | undefined): string {
  if (labels === null) return " with unknown labels";
  const all = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return all.length === 0 ? "" : ` ${all.join(",")}`;
}

function reasonsOf({ denied_by, audit_denials = [], loader_probe }: ReadRecord): string[] {
  const audit = audit_denials.map((denial) => denial?.reason ?? "");
  return [
    ...(denied_by?.reason === undefined ? [] : [denied_by.reason]),
    ...audit.map((reason) => (denied_by === null || denied_by === undefined ? reason : `audit: ${reason}`)),
    ...(loader_probe === undefined ? [] : [loader_probe]),
  ];
}

function keyring({ keyring, generation, error = null }: ReadRecord): readonly Part[] {
  const name = `keyring \`${keyring}\` generation ${generation}`;
  return error === null ? [name, ["green", "in use"]] : [name, ["red", "files rejected:"], error];
}
