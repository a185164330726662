import { oneLine } from "../../error.js";
import { visibleText } from "../../visible-text.js";
import type { ScanVerdict } from "../loaded/scan-verdicts.js";
import type { TitledTable } from "./table.js";

/** In the order of the rows. */
const ORDER: readonly ScanVerdict["verdict"][] = ["denied", "not decided", "allowed"];

/**
 * What a configuration would decide about each object: a row for the hooks with the same verdict. Hooks at which nobody
 * was asked are counted below the table.
 */
export function verdictTable(verdicts: readonly ScanVerdict[]): TitledTable {
  const rows = new Map<string, ScanVerdict & { readonly hooks: string[] }>();
  const asked = verdicts.filter(({ verdict }) => verdict !== "nobody asked");
  for (const one of asked) {
    const key = JSON.stringify([one.of, one.id, one.verdict, one.reason]);
    const row = rows.get(key);
    if (row === undefined) rows.set(key, { ...one, hooks: [one.hook] });
    else row.hooks.push(one.hook);
  }
  const sorted = [...rows.values()].sort((a, b) => ORDER.indexOf(a.verdict) - ORDER.indexOf(b.verdict));
  const shown = sorted.map(({ of, id, name, hooks, verdict, reason }) => [
    ...[`${of} ${id}`, visibleText(name) || "-", hooks.join(", "), verdict, oneLine(reason ?? "-")],
  ]);
  const others = verdicts.length - asked.length;
  const counts = ORDER.map((verdict) => `${asked.filter((one) => one.verdict === verdict).length} ${verdict}`);
  const nobody = others === 0 ? "" : `; no policy in scope was asked about ${others} more`;
  const below = [`${counts.join(", ")}${nobody}`];
  return { title: "Verdicts", head: ["OBJECT", "NAME", "HOOK", "VERDICT", "REASON"], rows: shown, below };
}
