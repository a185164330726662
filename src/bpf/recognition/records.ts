import { Btf } from "../btf/btf.js";
import { RECORD_FIELDS } from "../btf/btf-ext.js";
import { INSN_SIZE } from "../insn/insn.js";
import type { StatedRelocation } from "../statement/content.js";
import type { LiveProgramLoad, LiveRecords } from "./live-load.js";
import { differ } from "./properties.js";
import type { ExpectedProgram } from "./stated-program.js";

const WORD = 4;
const FUNCTION_SIZE = RECORD_FIELDS.functions * WORD;

/**
 * Requires the records of func_info that libbpf passes: one for each function, if the program itself has one
 * (reloc_prog_func_and_line_info). Throws Differs.
 */
export function compareFunctions({ functions }: ExpectedProgram, { funcInfo }: LiveProgramLoad): void {
  const isEqual = Buffer.compare(functions, funcInfo.bytes) === 0;
  if (isEqual && (functions.length === 0 || funcInfo.size === FUNCTION_SIZE)) return;
  const expected = rows({ bytes: functions, size: FUNCTION_SIZE }, RECORD_FIELDS.functions);
  const found = rows(funcInfo, RECORD_FIELDS.functions);
  if (expected.length !== found.length)
    differ("func_info", `${expected.length} functions`, `${found.length} functions`);
  for (const [index, [slot, type]] of expected.entries()) {
    const [foundSlot, foundType] = found[index]!;
    if (slot !== foundSlot || type !== foundType)
      differ("func_info", `type ${type} at instruction ${slot}`, `type ${foundType} at instruction ${foundSlot}`);
  }
  if (hasMore(funcInfo, RECORD_FIELDS.functions)) differ("func_info", "records of 8 bytes", "longer records");
}

/**
 * Requires, where the kernel applies the relocations, that they are the statement's: their instructions are compared
 * before relocation, and the BTF that they index is covered as the program's. Throws Differs.
 */
export function compareRelocations(expected: ExpectedProgram, { coreRelos }: LiveProgramLoad): void {
  if (coreRelos.bytes.length === 0) return;
  const stated = expected.program.relocations;
  const found = rows(coreRelos, RECORD_FIELDS.relocations);
  if (stated.length !== found.length) differ("core_relos", `${stated.length} records`, `${found.length} records`);
  const { originalBtf } = expected.object;
  const btf = originalBtf === null ? null : new Btf(originalBtf);
  for (const [index, relocation] of stated.entries()) {
    const [offset, type, access, kind] = found[index]!;
    const text = btf === null ? "" : stringAt(btf, access!);
    const same =
      offset === relocation.slot * INSN_SIZE &&
      type === relocation.type_id &&
      kind === relocation.kind &&
      text === relocation.access;
    if (!same)
      differ("core_relos", described(relocation), `type ${type}, access ${text}, kind ${kind} at byte ${offset}`);
  }
  if (hasMore(coreRelos, RECORD_FIELDS.relocations)) differ("core_relos", "records of 16 bytes", "longer records");
}

function described({ slot, type_id, access, kind }: StatedRelocation): string {
  return `type ${type_id}, access ${access}, kind ${kind} at byte ${slot * INSN_SIZE}`;
}

function stringAt(btf: Btf, offset: number): string {
  try {
    return btf.string(offset);
  } catch {
    return "";
  }
}

/** The known fields of each record. */
function rows({ bytes, size }: LiveRecords, fields: number): number[][] {
  if (bytes.length === 0 || size < fields * WORD) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, record) =>
    Array.from({ length: fields }, (_, field) => view.getUint32(record * size + field * WORD, true)),
  );
}

/** Whether a field after the known ones is not zero: the kernel would reject it, or give it a meaning. */
function hasMore({ bytes, size }: LiveRecords, fields: number): boolean {
  if (bytes.length === 0) return false;
  return bytes.some((byte, index) => byte !== 0 && index % size >= fields * WORD);
}
