import type { ListedInsn } from "../../bpf/translated-listing.js";
import type { MapReport } from "../model/objects.js";

/**
 * Translated instructions as the lines that forms are compared with: those of the listing, but a call has the name of
 * its function, a reference to a map has what the map is, and an unconditional jump also says how many instructions
 * before the end it goes to.
 */
export function formLines(insns: readonly ListedInsn[], mapOf: (id: number) => MapReport | undefined): string {
  const count = (insns.at(-1)?.insn ?? -1) + 1;
  return insns.map((insn) => `${lineOf(insn, count, mapOf)}\n`).join("");
}

function lineOf(
  { insn, text, refers }: ListedInsn,
  count: number,
  mapOf: (id: number) => MapReport | undefined,
): string {
  if (text.startsWith("call ")) return `call ${refers ?? "unknown"}`;
  const id = /^map (\d+)/.exec(refers ?? "")?.[1];
  if (id !== undefined) return `${text.split(" ")[0]} = ${mapText(mapOf(Number(id)))}`;
  const distance = /^goto ([+-]0x[0-9a-f]+)$/.exec(text)?.[1];
  return distance === undefined ? text : `${text} to end - ${count - insn - 1 - Number.parseInt(distance, 16)}`;
}

function mapText(map: MapReport | undefined): string {
  return map === undefined ? "unknown" : `map ${map.type} ${map.keySize} ${map.valueSize} ${map.maxEntries}`;
}
