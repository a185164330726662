import { HELPER_MEMORY, KFUNC_MEMORY } from "../../../../src/bpf/tables/argument-memory.js";
import type { Trial, Tried } from "./trial.js";

/** So many marker bytes in a row are not there by chance. */
const FEWEST = 3;

/** Whether marker bytes came out. */
export function isMarked({ ran }: Tried): boolean {
  return ran.state === "ran" && ran.marked >= FEWEST;
}

/**
 * Whether the tables say that all bytes that this program uses were written, by what it knows of r0. A kfunc that
 * returns an `int` fails by its low 32 bits.
 */
export function claimsWritten({ filler, outcome, check }: Tried): boolean {
  const text = filler.outcomes[outcome];
  const argument = typeof text === "string" ? /.*\br(\d) = buffer/.exec(text)?.[1] : undefined;
  const isKfunc = KFUNC_MEMORY.has(filler.name);
  const rows = (isKfunc ? KFUNC_MEMORY : HELPER_MEMORY).get(filler.name) ?? [];
  const row = rows.find(({ index }) => index === Number(argument) - 1);
  switch (row?.written) {
    case "always":
      return true;
    case "on_success":
      return check === "checked32" || check === "full" || (check === "checked" && !isKfunc);
    case "result_bytes":
      return check === "full" || check === "counted";
    default:
      return false;
  }
}

/** The figures of a kernel, and for each filler what was reported and did not come out. */
export function listing(kernel: string, { tried, missing }: Trial): string {
  const of = (matching: (each: Tried) => boolean) => tried.filter(matching);
  const ran = of(({ ran }) => ran.state === "ran");
  const marked = of(isMarked);
  const reported = of(({ reported }) => reported);
  const figures = {
    programs: tried.length,
    loaded: of(({ ran }) => ran.state !== "rejected").length,
    ran: ran.length,
    printing: marked.length,
    reported: reported.length,
    "printing and not reported": marked.filter(({ reported }) => !reported).length,
    "reported and rejected": reported.filter(({ ran }) => ran.state === "rejected").length,
    "reported, ran and clean": reported.filter((each) => each.ran.state === "ran" && !isMarked(each)).length,
    "not reported and clean": ran.filter((each) => !each.reported && !isMarked(each)).length,
  };
  const lines = Object.entries(figures).map(([what, count]) => `${what}: ${count}`);
  const rejected = reported.filter(({ ran }) => ran.state === "rejected");
  const clean = reported.filter((each) => each.ran.state === "ran" && !isMarked(each));
  return [
    `kernel ${kernel}`,
    ...lines,
    `missing: ${missing.join(" ")}`,
    ...counted("reported and rejected", rejected),
    ...counted("reported, ran and clean", clean),
    ...counted(
      "idle",
      of(({ ran }) => ran.state === "idle"),
    ),
  ].join("\n  ");
}

function counted(title: string, programs: readonly Tried[]): string[] {
  const counts = new Map<string, number>();
  for (const { filler, outcome, ran } of programs) {
    const why = ran.state === "rejected" ? ` (errno ${ran.errno}: ${ran.why})` : "";
    const key = `${filler.name} ${filler.host.name} ${outcome}${why}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [`${title}:`, ...Array.from(counts, ([key, count]) => `  ${count} ${key}`)];
}
