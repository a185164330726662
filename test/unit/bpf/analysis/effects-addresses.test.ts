/** Addresses that leave a program (`reveals_addresses`), and what does not count as one. */
import { describe, expect, it } from "vitest";
import { effectsOf } from "../../../../src/bpf/analysis/effects.js";
import { codeOf } from "../../../../src/bpf/assembly/assembly.js";
import { FLOW_MAPS, flowOf, flowsOf, SINKS, SOURCES, WAYS } from "../../../support/address-flows.js";

const reveals = (text: string, type = "tracepoint", expectedAttachType: string | null = null) =>
  effectsOf(codeOf(`${text}; r0 = 0; exit`, { type, expectedAttachType, maps: FLOW_MAPS })).effects.reveals_addresses;

describe("an address leaves a program", () => {
  const flows = flowsOf(SOURCES);

  it.each(SINKS)("$name, from each source in each way", ({ name }) => {
    const those = flows.filter(({ sink }) => sink.name === name);
    expect(those.length).toBeGreaterThan(100);
    const missed = those.filter(({ code }) => !effectsOf(code).effects.reveals_addresses);
    expect(missed.map((flow) => flow.name)).toEqual([]);
  });

  it("and `read_only` stays true if nothing else changes anything", () => {
    const [source, way, sink] = [SOURCES[0]!, WAYS[0]!, SINKS[0]!];
    const { effects, evidence } = effectsOf(flowOf("tracepoint", source, way, sink)!);
    expect(effects).toMatchObject({ reveals_addresses: true, read_only: true });
    expect(evidence.find(({ effect }) => effect === "reveals_addresses")).toMatchObject({
      because: "stores an address into a map's value, the pointer from 8 `call 0x1`",
      ends_read_only: false,
    });
  });
});

describe("the same with a number in the address's place", () => {
  const NUMBERS = [
    { name: "a constant", text: "r6 = 77" },
    { name: "a random number", text: "call bpf_get_prandom_u32; r6 = r0" },
    { name: "a field of a map's value", text: "r1 = value own + 8; r6 = *(u64 *)(r1 + 8)" },
    { name: "a length", text: "r6 = r10; r6 -= r10" },
    {
      name: "a packet's length",
      text: "r6 = *(u32 *)(r8 + END); r1 = *(u32 *)(r8 + DATA); r6 -= r1",
      types: ["xdp", "sched_cls"],
    },
    { name: "a register of a kprobe", text: "r6 = *(u64 *)(r8 + 16)", types: ["kprobe"] },
    { name: "a comparison of an address", text: "r6 = 0; r1 = r10; if r1 > 7 goto more; r6 = 1; more: r1 = 0" },
    { name: "none of an address's bits", text: "r6 = r10; r6 &= 0" },
    { name: "an overwritten spill", text: "*(u64 *)(r10 - G) = r8; *(u64 *)(r10 - G) = 5; r6 = *(u64 *)(r10 - G)" },
    {
      name: "a spill that was overwritten in parts",
      text: "*(u64 *)(r10 - G) = r8; *(u32 *)(r10 - G) = 5; *(u32 *)(r10 - H) = 6; r6 = *(u64 *)(r10 - G)",
    },
    {
      name: "the new part of an overwritten spill",
      text: "*(u64 *)(r10 - G) = r8; *(u32 *)(r10 - G) = 5; r6 = *(u32 *)(r10 - G)",
    },
  ];

  it.each(NUMBERS)("is no effect: $name", { tags: ["deep"] }, (number) => {
    const flows = flowsOf([number]);
    expect(flows.length).toBeGreaterThan(100);
    const found = flows.filter(({ code }) => effectsOf(code).effects.reveals_addresses);
    expect(found.map(({ name }) => name)).toEqual([]);
  });
});

describe("memory on the stack that is handed out", () => {
  const keyed = (key: string) =>
    `*(u64 *)(r10 - 8) = r1; *(u64 *)(r10 - 16) = 0; *(u64 *)(r10 - 24) = 0; ${key}; r3 = r10; r3 += -24; r4 = 0; r1 = map keyed`;

  it("counts with the size that the map, or an argument, says", () => {
    expect(reveals(`${keyed("r2 = r10; r2 += -8")}; call bpf_map_update_elem`)).toBe(true);
    expect(reveals(`${keyed("r2 = r10; r2 += -16")}; call bpf_map_update_elem`)).toBe(false);
    expect(reveals(`${keyed("r2 = r10; r2 += -12")}; call bpf_map_update_elem`)).toBe(true);
    const record = (size: number) =>
      `*(u64 *)(r10 - 8) = r1; *(u64 *)(r10 - 16) = 0; r2 = r10; r2 += -16; r3 = ${size}; r4 = 0; r1 = map ring; call bpf_ringbuf_output`;
    expect([7, 8, 9, 16].map((size) => reveals(record(size)))).toEqual([false, false, true, true]);
  });

  it("counts if its size or its place is not known", () => {
    const size = "call bpf_get_prandom_u32; r0 &= 15; r3 = r0; r2 = r10; r2 += -16";
    const place = "call bpf_get_prandom_u32; r0 &= 8; r2 = r10; r2 += -16; r2 += r0; r3 = 8";
    for (const given of [size, place])
      expect(
        reveals(
          `*(u64 *)(r10 - 8) = r1; *(u64 *)(r10 - 16) = 0; ${given}; r1 = map ring; r4 = 0; call bpf_ringbuf_output`,
        ),
      ).toBe(true);
  });

  it("is handed out from a caller's frame, too", () => {
    const out = "fn out: r2 = r1; r1 = map ring; r3 = 8; r4 = 0; call bpf_ringbuf_output; r0 = 0; exit";
    const text = (at: number) => `*(u64 *)(r10 - 8) = r1; *(u64 *)(r10 - 16) = 0; r1 = r10; r1 += ${at}; call out`;
    const found = [-8, -16].map((at) => {
      const code = codeOf(`${text(at)}; r0 = 0; exit; ${out}`, { type: "tracepoint", maps: FLOW_MAPS });
      return effectsOf(code).effects.reveals_addresses;
    });
    expect(found).toEqual([true, false]);
  });

  it("does not count if it is only compared or looked up", () => {
    for (const helper of ["bpf_map_lookup_elem", "bpf_map_delete_elem"])
      expect(reveals(`${keyed("r2 = r10; r2 += -8")}; call ${helper}`), helper).toBe(false);
    const compared = "*(u64 *)(r10 - 8) = r1; r1 = r10; r1 += -8; r2 = 8; r3 = value hex + 0; call bpf_strncmp";
    expect(reveals(compared)).toBe(false);
  });

  it("is part of the sum that bpf_csum_diff computes", () => {
    const sum = (value: string) =>
      `r8 = r1; *(u64 *)(r10 - 8) = ${value}; r1 = 0; r2 = 0; r3 = r10; r3 += -8; r4 = 8; r5 = 0; call bpf_csum_diff; *(u32 *)(r8 + 8) = r0`;
    expect([sum("r8"), sum("7")].map((text) => reveals(text, "sched_cls"))).toEqual([true, false]);
  });
});

describe("what a format prints of an address", () => {
  it.each([
    ["%px", true],
    ["%llx", true],
    ["%d", true],
    ["%c", true],
    ["%pS", true],
    ["%ps", true],
    ["%pB", true],
    ["%p", false],
    ["%p %d", false],
    ["%d %p", true],
    ["%pK", false],
    ["%s", false],
    ["%10s", false],
    ["%pks", false],
    ["%pus", false],
    ["%pI4", false],
    ["%pi6", false],
    ["%%", false],
    ["%% %x", true],
    ["%pxs", true],
    ["%w", true],
  ])("%s: %s", (format, printed) => {
    const map = { ...FLOW_MAPS.hex!, data: Buffer.from(format.padEnd(16, "\0"), "latin1") };
    const by = (text: string) =>
      effectsOf(codeOf(`${text}; r0 = 0; exit`, { type: "tracepoint", maps: { map } })).effects.reveals_addresses;
    expect(by("r3 = r1; r1 = value map + 0; r2 = 8; r4 = 5; r5 = 5; call bpf_trace_printk")).toBe(printed);
    const stack = "*(u64 *)(r10 - 16) = r1; *(u64 *)(r10 - 8) = 5; r3 = r10; r3 += -16; r4 = 16";
    expect(by(`${stack}; r1 = value map + 0; r2 = 8; call bpf_trace_vprintk`)).toBe(printed);
  });

  it("may be anything if the format is not known", () => {
    expect(reveals("r3 = r1; r1 = value own + 0; r2 = 8; call bpf_trace_printk")).toBe(true);
    expect(reveals("r3 = 5; r1 = value own + 0; r2 = 8; call bpf_trace_printk")).toBe(false);
  });
});

describe("the contexts", () => {
  const passOn = "r6 = *(u64 *)(r1 + 0); r1 = value own + 8; *(u64 *)(r1 + 0) = r6";

  it.each(["kprobe", "raw_tracepoint", "perf_event", "tracepoint", "syscall"])(
    "of %s programs hold numbers",
    (type) => {
      const { evidence } = effectsOf(codeOf(`${passOn}; r0 = 0; exit`, { type, maps: FLOW_MAPS }));
      expect(evidence.filter(({ effect, insn }) => effect === "reveals_addresses" && insn !== null)).toEqual([]);
    },
  );

  it.each([
    ["tracing", "trace_fentry"],
    ["tracing", "trace_raw_tp"],
    ["tracing", "trace_iter"],
    ["lsm", "lsm_mac"],
    ["struct_ops", null],
    ["ext", null],
  ])("of %s programs (%s) may hold pointers to objects", (type, attach) => {
    expect(reveals(passOn, type, attach)).toBe(true);
    // part of an argument, as the verifier allows it for numbers
    expect(reveals("r6 = *(u32 *)(r1 + 0); r1 = value own + 8; *(u64 *)(r1 + 0) = r6", type, attach)).toBe(
      type === "ext",
    );
  });

  it("hold the value that a traced function was going to return, and programs return it", () => {
    for (const [type, attach] of [
      ["tracing", "modify_return"],
      ["lsm", "lsm_mac"],
    ] as const) {
      const code = codeOf("r0 = *(u64 *)(r1 + 16); exit", { type, expectedAttachType: attach });
      expect(effectsOf(code).effects).toMatchObject({ decides: true, reveals_addresses: false });
    }
    const { effects } = effectsOf(codeOf("r0 = r1; exit", { type: "xdp" }));
    expect(effects.reveals_addresses).toBe(true);
  });

  it("may be stored to in part, where the kernel does not reject it", () => {
    expect(reveals("*(u32 *)(r1 + 8) = r10", "sched_cls")).toBe(true);
    expect(reveals("*(u64 *)(r1 + 8) = r10", "tracepoint")).toBe(false);
  });
});

describe("what was read from memory", () => {
  const store = "r1 = value own + 8; *(u64 *)(r1 + 0) = r6";

  it("is `reads_kernel_memory`, also if it may be a pointer", () => {
    const object = "call bpf_get_current_task_btf; r6 = *(u64 *)(r0 + 64)";
    expect([object, "r1 = value own + 8; r6 = *(u64 *)(r1 + 8)"].map((text) => reveals(`${text}; ${store}`))).toEqual([
      false,
      false,
    ]);
  });

  it("is an address if the program asks for one", () => {
    for (const helper of ["bpf_get_current_task", "bpf_get_func_ip"])
      expect(reveals(`call ${helper}; r6 = r0; ${store}`, "kprobe"), helper).toBe(true);
    expect(reveals(`call bpf_get_current_pid_tgid; r6 = r0; ${store}`)).toBe(false);
  });

  it("may be an address if the program's BTF names a pointer that a map keeps", () => {
    const code = codeOf(`r1 = value own + 8; r6 = *(u64 *)(r1 + 8); ${store}; r0 = 0; exit`, {
      type: "sched_cls",
      maps: FLOW_MAPS,
    });
    const btf = (tag: string) => ({
      names: (kind: string, names: ReadonlySet<string>) => kind === "type_tag" && names.has(tag),
    });
    const found = ["kptr", "kptr_untrusted", "percpu_kptr", "uptr", "user"].map(
      (tag) => effectsOf({ ...code, btf: btf(tag) as never }).effects.reveals_addresses,
    );
    expect(found).toEqual([true, true, true, false, false]);
    // without BTF, a map that the program did not create may keep some
    const pinned = { own: { ...FLOW_MAPS.own!, own: false } };
    const foreign = codeOf(`r1 = value own + 8; r6 = *(u64 *)(r1 + 8); ${store}; r0 = 0; exit`, {
      type: "xdp",
      maps: pinned,
    });
    expect(effectsOf(foreign).effects.reveals_addresses).toBe(true);
  });
});

describe("a kfunc", () => {
  it("gets an address as a number", () => {
    expect(reveals("r6 = r1; w6 = w6; r1 = r6; call kfunc bpf_throw", "sched_cls")).toBe(true);
    expect(reveals("r1 = 5; call kfunc bpf_throw", "sched_cls")).toBe(false);
  });

  it("gets a callback, which is no number", () => {
    const text =
      "r1 = value own + 8; r2 = func later; r3 = 0; call kfunc bpf_wq_set_callback_impl; r0 = 0; exit; fn later: r0 = 0; exit";
    const { effects } = effectsOf(codeOf(text, { type: "sched_cls", maps: FLOW_MAPS }));
    expect(effects.reveals_addresses).toBe(false);
  });

  it("puts a struct on the stack into a packet", () => {
    const text = (value: string) =>
      `*(u64 *)(r10 - 8) = ${value}; r2 = r10; r2 += -8; r3 = 0; call kfunc bpf_skb_set_fou_encap`;
    expect([text("r1"), text("5")].map((each) => reveals(each, "sched_cls"))).toEqual([true, false]);
  });
});
