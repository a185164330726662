import type { ScannedKernel } from "../effects/scanned-kernel.js";
import { attachTypesOf } from "../identify/attach-types.js";
import { readable } from "../identify/readable.js";
import type { ProgramReport } from "../model/objects.js";
import type { Scan } from "../model/scan.js";
import { programCode } from "../named/program-code.js";
import type { Reads } from "../reads/reads.js";
import type { Form } from "./form.js";
import { formLines } from "./form-lines.js";
import { FORMS, formPatterns } from "./forms.js";

/** Larger programs are not compared: systemd and runtimes generate some hundreds of instructions. In bytes. */
const MAX_TRANSLATED = 8 * 65_536;

/**
 * The form that each of these programs has, by id: what looks like a program that a tool generates without an object.
 * Anyone can generate the same, so that this is no proof of who did, only of what it does. Without it are programs that
 * are attached nowhere, or also in another way.
 */
export function formsOfPrograms(
  reads: Reads,
  scan: Scan,
  kernel: ScannedKernel,
  programs: readonly ProgramReport[],
): ReadonlyMap<number, Form> {
  const types = new Set(FORMS.map(({ type }) => type));
  const asked = programs.filter(({ type, translated }) => types.has(type) && translated <= MAX_TRANSLATED);
  const found = new Map<number, Form>();
  if (asked.length === 0) return found;
  const patterns = readable(() => formPatterns(kernel.types.btf(kernel.types.vmlinux))) ?? [];
  const maps = new Map(scan.maps.map((map) => [map.id, map]));
  for (const report of asked) {
    const [attachType, ...others] = new Set(attachTypesOf(report, scan));
    if (attachType === undefined || others.length > 0) continue;
    const { insns } = programCode(reads, report, scan, kernel);
    const text = formLines(insns, (id) => maps.get(id));
    const isOf = ({ form }: (typeof patterns)[number]) => form.type === report.type && form.attachType === attachType;
    const pattern = patterns.find((each) => isOf(each) && each.matches(text));
    if (pattern !== undefined) found.set(report.id, pattern.form);
  }
  return found;
}
