import { CountersignError } from "../../error.js";
import type { Btf } from "../btf/btf.js";
import type { Records } from "../btf/btf-ext.js";
import { type CoreRelocation, describeRelocation } from "../core/relocation.js";
import type { Rewrite } from "../model/code.js";

/** Describes a CO-RE relocation with names from the program's own BTF. */
export function rewriteOf(records: Records, record: number, btf: Btf): Rewrite {
  const typeId = records.field(record, 1);
  const kind = records.field(record, 3);
  let access = "";
  try {
    access = btf.string(records.field(record, 2));
    return { kind, what: describeRelocation(btf, { typeId, kind, access }) };
  } catch (error) {
    // Without names the relocation still counts.
    if (error instanceof CountersignError) return { kind, what: `type ${typeId}, access ${access}` };
    throw error;
  }
}

/** Reads a CO-RE relocation of the instruction in a slot. Throws BTF_MALFORMED. */
export function coreRelocationOf(slot: number, records: Records, record: number, btf: Btf): CoreRelocation {
  const access = btf.string(records.field(record, 2));
  return { slot, typeId: records.field(record, 1), access, kind: records.field(record, 3) };
}
