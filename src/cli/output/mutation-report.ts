import { visibleText } from "../../visible-text.js";
import type { MutationRun } from "../../workbench/mutation/mutation-run.js";
import { print, styled } from "./output.js";
import { table } from "./table.js";

/** Prints the changed policies that no test notices, and how many one does. */
export function printMutants({ mutants, total }: MutationRun): void {
  const left = mutants.filter(({ status }) => status !== "noticed");
  const rows = left.map(({ place, mutant, status, reason }) => {
    return [
      status === "survived" ? styled("red", status) : status,
      visibleText(place),
      visibleText(reason === null ? mutant : `${mutant} (${reason})`),
    ];
  });
  if (rows.length > 0) print(`\n${table(["", "PLACE", "CHANGE"], rows)}`);
  const survived = left.filter(({ status }) => status === "survived").length;
  const limited = mutants.length < total ? ` (of ${total}; --mutants sets how many are tested)` : "";
  print(`\n${mutants.length} changed policies${limited}: a test notices ${mutants.length - left.length}`);
  if (survived > 0) print(`no test notices ${survived}: add a case, or say in POLICY.mutants.yaml why none can`);
}
