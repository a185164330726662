import type { Code } from "../model/code.js";
import type { ContextRow, WritableField } from "../tables/program-types.js";

/**
 * Contexts whose structure is not that of the kernel: the verifier translates each access to them (`convert_ctx_access`
 * of struct bpf_verifier_ops, net/core/filter.c and others). Programs access all others as they are.
 */
const TRANSLATED: ReadonlySet<string> = new Set([
  "__sk_buff",
  "xdp_md",
  "bpf_sock",
  "bpf_sock_ops",
  "sk_msg_md",
  "bpf_sock_addr",
  "sk_reuseport_md",
  "bpf_sysctl",
  "bpf_sockopt",
  "bpf_sk_lookup",
  "bpf_perf_event_data",
  "the context of the program it replaces",
]);

/** More than any offset of a field. */
const FAR = 1 << 20;

/**
 * A program's context as its instructions access it. In the kernel's own structure, a store may be one to any field,
 * and a load that is not known may be one of any pointer.
 */
export function translatedContext({ translation }: Code, row: ContextRow): ContextRow {
  if (translation == null || !TRANSLATED.has(row.name)) return row;
  const pointers = translation.contexts.get(row.name);
  const writable = row.writable.map(([name, , , ...effects]): WritableField => [name, -FAR, 2 * FAR, ...effects]);
  return pointers === undefined
    ? { name: row.name, otherwise: "anything", pointers: [], writable }
    : { name: row.name, otherwise: "translated", pointers, writable };
}
