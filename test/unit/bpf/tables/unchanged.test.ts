/**
 * Which helpers and kfuncs change something: each row says so by an effect, or the kernel's function was read that
 * shows that it does not (src/bpf/tables/unchanged.ts).
 */
import { describe, expect, it } from "vitest";
import type { EffectName } from "../../../../src/bpf/model/facts.js";
import { HELPER_ROWS, type HelperRow } from "../../../../src/bpf/tables/helpers.js";
import { KFUNCS } from "../../../../src/bpf/tables/kfuncs.js";
import { UNCHANGED } from "../../../../src/bpf/tables/unchanged.js";

const READING: readonly EffectName[] = ["reads_kernel_memory", "reads_user_memory"];
const rows = [
  ...HELPER_ROWS.filter((row): row is HelperRow => row !== undefined).map(({ name, effects }) => ({
    name: `bpf_${name}`,
    effects,
  })),
  ...KFUNCS,
];
const changing = rows.filter(({ effects }) => effects.some((effect) => !READING.includes(effect)));

describe("a helper or kfunc", () => {
  it("has an effect that changes something, or a place in the kernel that shows that it has none", () => {
    const names = new Set(changing.map(({ name }) => name));
    expect(rows.map(({ name }) => name).filter((name) => !names.has(name) && !UNCHANGED.has(name))).toEqual([]);
    expect([...UNCHANGED.keys()].filter((name) => names.has(name))).toEqual([]);
    expect(UNCHANGED.size + changing.length).toBe(rows.length);
    expect(UNCHANGED.size).toBeGreaterThan(300);
  });

  it("changes something if the function that was read does more than it returns", () => {
    const effects = new Map(changing.map((row) => [row.name, row.effects]));
    // ops_cpu_valid ends the scheduler, crypto_larval_lookup loads modules, veth_xdp_rx_hash stores the packet's hash
    expect(effects.get("scx_bpf_dsq_nr_queued")).toContain("changes_kernel_state");
    expect(effects.get("bpf_crypto_ctx_create")).toContain("changes_kernel_state");
    expect(effects.get("bpf_verify_pkcs7_signature")).toContain("changes_kernel_state");
    expect(effects.get("bpf_xdp_metadata_rx_hash")).toContain("writes_packet");
    expect(effects.get("bpf_sk_storage_delete")).toContain("changes_socket");
  });

  it("has a place that names a file and a function", () => {
    for (const [name, place] of UNCHANGED) expect(place, name).toMatch(/^[\w/-]+\.c: \w+(; .{10,})?$/);
  });
});
