import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { HELPERS } from "../../../../src/bpf/tables/names.gen.js";
import { translatedListing } from "../../../../src/bpf/translated-listing.js";
import { FormPattern } from "../../../../src/loaded/forms/form.js";
import { formLines } from "../../../../src/loaded/forms/form-lines.js";
import { FORMS } from "../../../../src/loaded/forms/forms.js";
import type { MapReport } from "../../../../src/loaded/model/objects.js";
import { own } from "../../../support/workplace.js";

/** A program of a tool, as the kernel showed it. */
interface Generated {
  readonly tool: string;
  readonly purpose: string;
  readonly type: string;
  readonly attachType: string;
  /** Translated instructions in hex. */
  readonly insns: readonly string[];
  /** The helpers that calls are of, by their `imm`. */
  readonly calls: Readonly<Record<string, string>>;
  readonly maps: readonly Pick<MapReport, "id" | "type" | "keySize" | "valueSize" | "maxEntries">[];
}

const { programs }: { readonly programs: readonly Generated[] } = JSON.parse(
  readFileSync(own("test/unit/loaded/forms/generated-programs.json"), "utf8"),
);

/** Of the kernel that translated the programs; and of one for `ip vrf exec`. */
const OFFSETS = { PROTOCOL: 0xb0, LENGTH: 0x70, BOUND_DEVICE: 0x14 };

/** A program of `ip vrf exec`, as test/system/guest/forms.test.ts sees it on Debian's kernel. */
const VRF: Generated = {
  ...{ tool: "iproute2", purpose: "ip vrf exec", type: "cgroup_sock", attachType: "cgroup_inet_sock_create" },
  insns: ["bf16000000000000b703000005000000b7020000000000006331140000000000", "b7000000010000009500000000000000"],
  ...{ calls: {}, maps: [] },
};
const ALL: readonly Generated[] = [...programs, VRF];

function linesOf({ type, calls, maps }: Generated, insns: Uint8Array): string {
  const listed = translatedListing({
    ...{ name: "", type, insns, functions: new Uint8Array(), lines: new Uint8Array(), btf: null, mapName: () => null },
    kernel: {
      callee: (imm) => {
        const helper = HELPERS.indexOf(calls[imm] ?? "");
        return helper === -1 ? { because: "calls what is not known" } : { helper };
      },
      symbol: () => null,
    },
  });
  return formLines(listed, (id) => maps.find((map) => map.id === id) as MapReport | undefined);
}

const bytesOf = ({ insns }: Generated) => Buffer.from(insns.join(""), "hex");

/** The names of the forms that a program has: its type and attach type are those of `generated`. */
function formsOf(generated: Generated, insns: Uint8Array = bytesOf(generated), offsets = OFFSETS): readonly string[] {
  const text = linesOf(generated, insns);
  return FORMS.filter(({ type, attachType }) => type === generated.type && attachType === generated.attachType)
    .filter((form) => new FormPattern(form, offsets).matches(text))
    .map(({ tool, purpose }) => `${tool}: ${purpose}`);
}

/** Whether a rule has a minor number in place of a major one, or the other way round: a program of the same form. */
function isOtherRule(text: string, changed: string): boolean {
  return changed.replaceAll("if r5 !=", "if r4 !=") === text.replaceAll("if r5 !=", "if r4 !=");
}

const named = ALL.map((each, index) => [`${each.tool} ${each.attachType} (${index})`, each] as const);

describe("forms of generated programs", () => {
  it.each(named)("recognise a program of %s", (_, generated) => {
    expect(formsOf(generated)).toEqual([`${generated.tool}: ${generated.purpose}`]);
  });

  it("are each that of a program here", () => {
    const keys = ALL.map(({ tool, attachType }) => `${tool} ${attachType}`);
    expect(new Set(FORMS.map(({ tool, attachType }) => `${tool} ${attachType}`))).toEqual(new Set(keys));
  });

  it("do not recognise what differs in one bit of an operation, a register or an offset", { tags: ["deep"] }, () => {
    for (const [name, generated] of named) {
      const bytes = bytesOf(generated);
      const text = linesOf(generated, bytes);
      for (let at = 0; at < bytes.length; at += 1) {
        if (at % 8 >= 4) continue;
        for (let bit = 0; bit < 8; bit += 1) {
          const changed = Buffer.from(bytes);
          changed[at]! ^= 1 << bit;
          const after = linesOf(generated, changed);
          // the other registers of an instruction are reserved: no kernel loads it
          if (after === text || isOtherRule(text, after)) continue;
          expect([name, at, bit, formsOf(generated, changed)]).toEqual([name, at, bit, []]);
        }
      }
    }
  });

  const [policy, list, counted, container, vrf] = [
    of("systemd", "cgroup_device"),
    of("systemd", "cgroup_inet_ingress"),
    programs.find(({ attachType, calls, maps }) => {
      return (
        attachType === "cgroup_inet_ingress" &&
        Object.keys(calls).length > 0 &&
        maps.some(({ type }) => type === "array")
      );
    })!,
    of("runc", "cgroup_device"),
    VRF,
  ] as const;

  it.each<readonly [string, Generated, (bytes: Buffer) => Buffer]>([
    ["loads bytes relative to a header", calling(list, "bpf_skb_load_bytes", "bpf_skb_load_bytes_relative"), same],
    ["stores bytes in place of loading them", calling(list, "bpf_skb_load_bytes", "bpf_skb_store_bytes"), same],
    ["writes to a list", calling(list, "bpf_map_lookup_elem", "bpf_map_update_elem"), same],
    ["removes from a list", calling(list, "bpf_map_lookup_elem", "bpf_map_delete_elem"), same],
    ["calls a function that is not known", calling(list, "bpf_map_lookup_elem", ""), same],
    ["also calls a helper", { ...policy, calls: { 6: "bpf_trace_printk" } }, inserted(6, CALL)],
    ["also calls a helper at its end", { ...container, calls: { 6: "bpf_get_current_pid_tgid" } }, inserted(-2, CALL)],
    ["calls a helper in a list", { ...list, calls: { ...list.calls, 6: "bpf_ktime_get_ns" } }, inserted(3, CALL)],
    ["also writes to the context", policy, inserted(6, "63210400 00000000")],
    ["writes to the packet's mark", list, inserted(3, "63860800 00000000")],
    ["writes to the stack", container, inserted(6, "7b1af8ff 00000000")],
    ["adds to another element", counted, replaced("b7000000 01000000 630afcff", "b7000000 02000000 630afcff")],
    ["stores in place of adding", counted, replaced("db100000 00000000", "7b100000 00000000")],
    ["exchanges in place of adding", counted, replaced("db100000 00000000", "db100000 e1000000")],
    [
      "counts in a map of another kind",
      { ...counted, maps: counted.maps.map((map) => ({ ...map, type: "hash" })) },
      same,
    ],
    ["counts in a larger map", { ...counted, maps: counted.maps.map((map) => ({ ...map, maxEntries: 3 })) }, same],
    ["looks an address up in an array", { ...list, maps: list.maps.map((map) => ({ ...map, type: "array" })) }, same],
    ["allows what no rule names", policy, replaced("b7000000 00000000 05000100", "b7000000 01000000 05000100")],
    ["answers 2", container, replaced("b4000000 00000000 95", "b4000000 02000000 95")],
    ["sets the mark of sockets", vrf, replaced("63311400", "63311800")],
    ["denies sockets", vrf, replaced("b7000000 01000000", "b7000000 00000000")],
    ["also binds to another field", vrf, inserted(4, "63311800 00000000")],
    ["is attached to the other direction", { ...list, attachType: "cgroup_inet_egress" }, same],
    ["is attached to the other direction and counts", { ...counted, attachType: "cgroup_inet_egress" }, same],
    ["is attached to the release of sockets", { ...vrf, attachType: "cgroup_inet_sock_release" }, same],
    ["is attached after binding", { ...vrf, attachType: "cgroup_inet4_post_bind" }, same],
    ["has another type", { ...policy, type: "cgroup_sysctl", attachType: "cgroup_sysctl" }, same],
  ])("do not recognise a program that %s", (_, generated, change) => {
    expect(formsOf(generated, change(bytesOf(generated)))).toEqual([]);
  });

  it("need the fields of the kernel that a form reads or writes", () => {
    expect(formsOf(list, bytesOf(list), { ...OFFSETS, PROTOCOL: 0xb2 })).toEqual([]);
    expect(formsOf(counted, bytesOf(counted), { ...OFFSETS, LENGTH: 0x74 })).toEqual([]);
    const unknown = { PROTOCOL: null, LENGTH: null, BOUND_DEVICE: null };
    for (const each of [list, counted, vrf]) expect(formsOf(each, bytesOf(each), unknown as never)).toEqual([]);
  });
});

const CALL = "85000000 06000000";

function of(tool: string, attachType: string): Generated {
  return programs.find((each) => each.tool === tool && each.attachType === attachType && hasCalls(each, attachType))!;
}

const hasCalls = ({ calls }: Generated, attachType: string) =>
  attachType === "cgroup_device" || Object.keys(calls).length > 0;

/** The same program with another helper in the place of one. */
function calling(generated: Generated, helper: string, other: string): Generated {
  const calls = Object.entries(generated.calls).map(([imm, name]) => [imm, name === helper ? other : name]);
  return { ...generated, calls: Object.fromEntries(calls) };
}

const same = (bytes: Buffer) => bytes;
const hex = (text: string) => text.replaceAll(" ", "");

/** One more instruction before that with an index, from the end if it is negative. */
function inserted(index: number, insn: string) {
  return (bytes: Buffer) => {
    const at = index < 0 ? bytes.length + 8 * index : 8 * index;
    return Buffer.concat([bytes.subarray(0, at), Buffer.from(hex(insn), "hex"), bytes.subarray(at)]);
  };
}

/** Other bytes in the place of these, wherever they are. Throws if they are nowhere. */
function replaced(from: string, to: string) {
  return (bytes: Buffer) => {
    const text = bytes.toString("hex");
    expect(text).toContain(hex(from));
    return Buffer.from(text.replaceAll(hex(from), hex(to)), "hex");
  };
}
