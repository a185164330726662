import { describe, expect, it } from "vitest";
import { effectsOf } from "../../../../src/bpf/analysis/effects.js";
import { codeOf, mapOf, type Surroundings } from "../../../../src/bpf/assembly/assembly.js";
import { PROGRAM_TYPE_ROWS } from "../../../../src/bpf/tables/program-types.js";

const maps = { own: mapOf("own"), jumps: mapOf("jumps", { type: "prog_array" }) };

function verdict(text: string, surroundings: Surroundings): { decides: boolean; redirects: boolean } {
  const { decides, redirects } = effectsOf(codeOf(text, { maps, ...surroundings })).effects;
  return { decides, redirects };
}
const NOTHING = { decides: false, redirects: false };
const DECIDES = { decides: true, redirects: false };
const REDIRECTS = { decides: true, redirects: true };
const RANDOM = "call bpf_get_prandom_u32";

describe("an XDP program", () => {
  it.each([
    ["only ever passes", "r0 = 2; exit", NOTHING],
    ["passes on every path", `${RANDOM}; if r0 == 0 goto a; r0 = 2; exit; a: w0 = 2; exit`, NOTHING],
    ["drops on one path", `${RANDOM}; r6 = r0; r0 = 2; if r6 == 0 goto a; r0 = 1; a: exit`, DECIDES],
    ["drops or passes by arithmetic", `${RANDOM}; r0 &= 1; r0 += 1; exit`, DECIDES],
    ["sends back", "r0 = 3; exit", REDIRECTS],
    ["returns what is not known", `${RANDOM}; exit`, REDIRECTS],
    ["keeps what it returns in the frame", "*(u32 *)(r10 - 4) = 2; r0 = *(u32 *)(r10 - 4); exit", NOTHING],
    [
      "keeps one of two in the frame",
      `${RANDOM}; r1 = 2; if r0 == 0 goto a; r1 = 1; a: *(u32 *)(r10 - 4) = r1; r0 = *(u32 *)(r10 - 4); exit`,
      DECIDES,
    ],
    ["cuts what is not known to what does not redirect", `${RANDOM}; if w0 <= 2 goto a; r0 = 1; a: exit`, DECIDES],
    ["returns what it compared with", `${RANDOM}; if r0 == 2 goto a; r0 = 2; a: exit`, NOTHING],
    ["sums up around a loop", "r0 = 0; a: r0 += 1; if r0 < 2 goto a; exit", DECIDES],
    ["counts turns that are not known", `${RANDOM}; r6 = r0; r0 = 0; a: r0 += 1; if r0 < r6 goto a; exit`, REDIRECTS],
    ["returns what a subprogram returns", "call f; exit; fn f: r0 = 2; exit", NOTHING],
    ["returns what a global function returns", "call f; exit; global f: r0 = 2; exit", REDIRECTS],
    ["returns a number that a relocation may change", "r0 = 2 @core; exit", REDIRECTS],
    ["may tail-call another", "r2 = map jumps; r3 = 0; call bpf_tail_call; r0 = 2; exit", REDIRECTS],
    [
      "may end by an exception in a subprogram",
      "call f; r0 = 2; exit; fn f: r1 = 0; call kfunc bpf_throw; exit",
      REDIRECTS,
    ],
    ["may end by an exception", "r1 = 0; call kfunc bpf_throw; r0 = 2; exit", REDIRECTS],
  ])("that %s", (_, text, expected) => {
    expect(verdict(text, { type: "xdp" })).toEqual(expected);
  });
});

describe("what a program returns", () => {
  it.each([
    ["sched_cls", null, "r0 = 0; exit", NOTHING],
    ["sched_cls", null, "r0 = -1; exit", NOTHING],
    ["sched_cls", null, "w0 = -1; exit", NOTHING],
    ["sched_cls", null, "r0 = 2; exit", DECIDES],
    ["sched_cls", null, "r0 = 7; exit", REDIRECTS],
    ["socket_filter", null, "r0 = -1; exit", REDIRECTS],
    ["socket_filter", null, "r0 = 0; exit", REDIRECTS],
    ["socket_filter", null, "r6 = r1; r0 = *(u8 *)skb[14]; r0 = -1; exit", REDIRECTS],
    ["kprobe", null, "r0 = 1; exit", NOTHING],
    ["kprobe", null, "r0 = 0; exit", DECIDES],
    ["kprobe", null, "r0 = 2; exit", DECIDES],
    ["kprobe", null, "r0 = -1; exit", NOTHING],
    ["kprobe", null, "r1 = 0; call kfunc bpf_throw; r0 = 1; exit", DECIDES],
    ["kprobe", "trace_kprobe_multi", "r0 = 0; exit", NOTHING],
    ["kprobe", "trace_kprobe_session", "r0 = 0; exit", NOTHING],
    ["kprobe", "trace_kprobe_session", "r0 = 1; exit", DECIDES],
    ["kprobe", "trace_uprobe_multi", "r0 = 1; exit", DECIDES],
    ["tracepoint", null, "r0 = 0; exit", DECIDES],
    ["tracepoint", null, "r0 = 1; exit", NOTHING],
    ["perf_event", "perf_event", "r0 = 0; exit", DECIDES],
    ["perf_event", "perf_event", "r0 = 2; exit", NOTHING],
    ["perf_event", "perf_event", "r0 = 1000; exit", NOTHING],
    ["raw_tracepoint", null, "r0 = 0; exit", NOTHING],
    ["flow_dissector", null, "r0 = 129; exit", DECIDES],
    ["lsm", "lsm_mac", "r0 = 0; exit", NOTHING],
    ["lsm", "lsm_mac", "w0 = 0; exit", NOTHING],
    ["lsm", "lsm_mac", "r0 = 1; r0 <<= 32; exit", DECIDES],
    ["lsm", "lsm_mac", `${RANDOM}; r0 >>= 32; r0 <<= 32; exit`, DECIDES],
    ["tracing", "modify_return", "r0 = 1; r0 <<= 32; exit", DECIDES],
    ["tracing", "modify_return", "r0 = -1; w0 = 0; exit", NOTHING],
    ["lsm", "lsm_mac", "r0 = -1; exit", DECIDES],
    ["lsm", "lsm_cgroup", "r0 = 1; exit", NOTHING],
    ["lsm", "lsm_cgroup", "r0 = 0; exit", DECIDES],
    ["lsm", null, "r0 = 0; exit", DECIDES],
    ["cgroup_skb", "cgroup_inet_egress", "r0 = 1; exit", NOTHING],
    ["cgroup_skb", "cgroup_inet_egress", "r0 = 0; exit", DECIDES],
    ["tracing", "trace_iter", "r0 = 1; exit", NOTHING],
    ["tracing", "trace_fexit", "r0 = 0; exit", NOTHING],
    ["ext", null, "r0 = 2; exit", REDIRECTS],
    ["sk_skb", "sk_skb_stream_parser", "r0 = 1; exit", DECIDES],
    ["netfilter", "netfilter", "r0 = 1; exit", NOTHING],
  ])("from a program of type %s (%s): %s", (type, expectedAttachType, text, expected) => {
    expect(verdict(text, { type, expectedAttachType })).toEqual(expected);
  });

  it("overrides a function's own value in a fmod_ret program", () => {
    const found = (text: string) =>
      effectsOf(codeOf(text, { type: "tracing", expectedAttachType: "modify_return" })).effects.overrides_return;
    expect(found("r0 = 0; exit")).toBe(false);
    expect(found("r0 = -1; exit")).toBe(true);
  });

  it("is told with the numbers that it may be", () => {
    const code = codeOf(`${RANDOM}; r0 &= 1; exit`, { type: "xdp" });
    expect(effectsOf(code).evidence).toMatchObject([{ effect: "decides", insn: 2, because: "returns 0 or 1" }]);
  });
});

describe("each value of each row of program types", () => {
  const rows = [...PROGRAM_TYPE_ROWS.values()].flatMap(({ type, verdict, verdictBy = {} }) =>
    [...Object.entries(verdictBy), [null, verdict] as const].map(([attach, its]) => ({ type, attach, its })),
  );
  const exact = rows.flatMap(({ its, ...row }) => (typeof its === "object" ? [{ ...row, ...its }] : []));

  it.each(exact)("$type ($attach) decides, redirects and ends read_only as its row says", (row) => {
    for (const value of [-1, 0, 1, 2, 3, 4, 7, 29, 30, 128, 129]) {
      const found = effectsOf(
        codeOf(`r0 = ${value}; exit`, { type: row.type, expectedAttachType: row.attach }),
      ).effects;
      const neutral = Array.isArray(row.neutral)
        ? row.neutral.includes(value)
        : row.neutral === "odd"
          ? value % 2 !== 0
          : value !== 0;
      // what has no bit of its own in a set of numbers may be any
      const decides = !neutral || (row.neutral === "odd" && value > 29);
      expect(found.decides, `${value}`).toBe(decides);
      const redirects = row.redirects === "all" || row.type === "ext" || (row.redirects as number[]).includes(value);
      if (redirects) expect(found.redirects, `${value}`).toBe(true);
      if (decides && row.decides === "outcome") expect(found.read_only, `${value}`).toBe(false);
    }
  });

  it.each(exact)("$type ($attach) decides by $bits bits", (row) => {
    if (!Array.isArray(row.neutral)) return;
    for (const value of row.neutral) {
      const text = `r0 = 1; r0 <<= 32; r0 |= ${value}; exit`;
      const found = effectsOf(codeOf(text, { type: row.type, expectedAttachType: row.attach })).effects;
      if (value >= 0) expect(found.decides, `${value}`).toBe(row.bits === 64);
    }
  });

  it.each(rows.filter(({ its }) => its === "always"))("$type ($attach) always decides", ({ type, attach }) => {
    expect(effectsOf(codeOf("r0 = 0; exit", { type, expectedAttachType: attach })).effects.decides).toBe(true);
  });
});

describe("a value that only keeps perf from recording the event", () => {
  it.each(["kprobe", "tracepoint", "perf_event"])("leaves a %s program read-only", (type) => {
    const { effects } = effectsOf(codeOf("r0 = 0; exit", { type }));
    expect(effects).toMatchObject({ decides: true, read_only: true });
  });

  it("leaves no program read-only that changes something beside", () => {
    const { effects } = effectsOf(codeOf("r1 = 9; call bpf_send_signal; r0 = 0; exit", { type: "kprobe" }));
    expect(effects).toMatchObject({ decides: true, sends_signal: true, read_only: false });
  });
});

describe("comparisons in 64 bits", () => {
  it("take nothing away that the upper half may bring back", () => {
    // r0 is 2 or 1 in its low word, and 64 bits of it are not known
    const text = `${RANDOM}; r0 <<= 32; r0 |= 2; if r0 != 2 goto a; r0 = 2; exit; a: exit`;
    expect(verdict(text, { type: "xdp" }).decides).toBe(true);
  });

  it("do not take -1 away from a word that holds 0xffffffff", () => {
    const text = `${RANDOM}; w6 = w0; w0 = 0; if w6 == 0 goto a; w0 = -1; a: if r0 != -1 goto b; r0 = 0; exit; b: exit`;
    expect(effectsOf(codeOf(text, { type: "lsm", expectedAttachType: "lsm_mac" })).effects.decides).toBe(true);
  });
});
