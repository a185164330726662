import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, type TestContext } from "vitest";
import { ATTACH_TYPES } from "../../../src/bpf/tables/names.gen.js";
import { BY_ID, CREATE, GET, LOAD } from "../../../src/gate/call/attr.js";
import { CAPABILITY_NAMES } from "../../../src/gate/call/capabilities.js";
import { COMMANDS } from "../../../src/gate/call/command.js";
import { type Field, LAYOUTS } from "../../../src/gate/commands/fields.js";
import { targetOf } from "../../../src/gate/commands/targets.js";
import { PROGRAM_INFO } from "../../../src/gate/sys/bpf.js";
import { NR } from "../../../src/gate/sys/numbers.js";

const HEADER = "/usr/include/linux/bpf.h";

/**
 * Fields of `union bpf_attr` by what the gate calls them; those of newer kernels are checked where the header has them.
 */
const FIELDS: readonly (readonly [field: string, offset: number])[] = [
  ["prog_type", LOAD.progType],
  ["insn_cnt", LOAD.insnCount],
  ["insns", LOAD.insns],
  ["license", LOAD.license],
  ["log_level", LOAD.logLevel],
  ["log_size", LOAD.logSize],
  ["log_buf", LOAD.logBuf],
  ["prog_flags", LOAD.progFlags],
  ["prog_name", LOAD.progName],
  ["prog_ifindex", LOAD.progIfindex],
  ["expected_attach_type", LOAD.expectedAttachType],
  ["prog_btf_fd", LOAD.progBtfFd],
  ["func_info_rec_size", LOAD.funcInfoRecordSize],
  ["func_info", LOAD.funcInfo],
  ["func_info_cnt", LOAD.funcInfoCount],
  ["line_info_rec_size", LOAD.lineInfoRecordSize],
  ["line_info", LOAD.lineInfo],
  ["line_info_cnt", LOAD.lineInfoCount],
  ["attach_btf_id", LOAD.attachBtfId],
  ["attach_prog_fd", LOAD.attachFd],
  ["core_relo_cnt", LOAD.coreReloCount],
  ["fd_array", LOAD.fdArray],
  ["core_relos", LOAD.coreRelos],
  ["core_relo_rec_size", LOAD.coreReloRecordSize],
  ["log_true_size", LOAD.logTrueSize],
  ["prog_token_fd", LOAD.tokenFd],
  ["fd_array_cnt", LOAD.fdArrayCount],
  ["signature", LOAD.signature],
  ["signature_size", LOAD.signatureSize],
  ["keyring_id", LOAD.keyringId],
  ["map_type", CREATE.mapType],
  ["key_size", CREATE.keySize],
  ["value_size", CREATE.valueSize],
  ["max_entries", CREATE.maxEntries],
  ["map_flags", CREATE.mapFlags],
  ["inner_map_fd", CREATE.innerMapFd],
  ["map_name", CREATE.mapName],
  ["map_ifindex", CREATE.mapIfindex],
  ["btf_fd", CREATE.btfFd],
  ["value_type_btf_obj_fd", CREATE.btfValueObjectFd],
  ["map_token_fd", CREATE.tokenFd],
  ["excl_prog_hash", CREATE.exclusiveHash],
  ["excl_prog_hash_size", CREATE.exclusiveHashSize],
  ["pathname", GET.pathname],
  ["bpf_fd", GET.bpfFd],
  ["file_flags", GET.fileFlags],
  ["path_fd", GET.pathFd],
  ["prog_id", BY_ID.id],
  ["next_id", BY_ID.nextId],
  ["open_flags", BY_ID.openFlags],
];

/**
 * Of commands that are decided on a copy, by command number: the member of `union bpf_attr` at each offset that a row
 * names.
 */
const COPIED: Readonly<Record<number, Readonly<Record<number, string>>>> = {
  6: { 0: "pathname", 8: "bpf_fd", 12: "file_flags", 16: "path_fd" },
  8: {
    ...{ 0: "target_fd", 4: "attach_bpf_fd", 8: "attach_type", 12: "attach_flags" },
    ...{ 16: "replace_bpf_fd", 20: "relative_fd", 24: "expected_revision" },
  },
  9: {
    ...{ 0: "target_fd", 4: "attach_bpf_fd", 8: "attach_type", 12: "attach_flags" },
    ...{ 20: "relative_fd", 24: "expected_revision" },
  },
  10: {
    ...{ 0: "test.prog_fd", 4: "test.retval", 8: "test.data_size_in", 12: "test.data_size_out", 16: "test.data_in" },
    ...{ 24: "test.data_out", 32: "test.repeat", 36: "test.duration", 40: "test.ctx_size_in", 44: "test.ctx_size_out" },
    ...{ 48: "test.ctx_in", 56: "test.ctx_out", 64: "test.flags", 68: "test.cpu", 72: "test.batch_size" },
  },
  17: { 0: "raw_tracepoint.name", 8: "raw_tracepoint.prog_fd", 16: "raw_tracepoint.cookie" },
  18: {
    ...{ 0: "btf", 8: "btf_log_buf", 16: "btf_size", 20: "btf_log_size", 24: "btf_log_level" },
    ...{ 28: "btf_log_true_size", 32: "btf_flags" },
  },
  28: { 0: "link_create.prog_fd", 4: "link_create.target_fd", 8: "link_create.attach_type", 12: "link_create.flags" },
  29: { 0: "link_update.link_fd", 4: "link_update.new_prog_fd", 8: "link_update.flags", 12: "link_update.old_prog_fd" },
};

/** The same for what BPF_LINK_CREATE holds for a target, by an attach type that takes it. */
const LINKED: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  tcx_ingress: { 16: "tcx.relative_fd", 24: "tcx.expected_revision" },
  netkit_peer: { 16: "netkit.relative_fd", 24: "netkit.expected_revision" },
  cgroup_device: { 16: "tcx.relative_fd", 24: "tcx.expected_revision" }, // `cgroup` of newer headers has the same
  trace_fentry: { 16: "tracing.target_btf_id", 24: "tracing.cookie" },
  perf_event: { 16: "perf_event.bpf_cookie" },
  trace_iter: { 16: "iter_info", 24: "iter_info_len" },
  trace_kprobe_multi: {
    ...{ 16: "kprobe_multi.flags", 20: "kprobe_multi.cnt", 24: "kprobe_multi.syms" },
    ...{ 32: "kprobe_multi.addrs", 40: "kprobe_multi.cookies" },
  },
  trace_uprobe_multi: {
    ...{ 24: "uprobe_multi.offsets", 32: "uprobe_multi.ref_ctr_offsets", 40: "uprobe_multi.cookies" },
    ...{ 48: "uprobe_multi.cnt", 52: "uprobe_multi.flags", 56: "uprobe_multi.pid" },
  },
  netfilter: { 16: "netfilter.pf", 20: "netfilter.hooknum", 24: "netfilter.priority", 28: "netfilter.flags" },
};

/** Offsets and sizes of members, as the header's own compiler has them: `type member offset size`. */
function compiled(members: readonly (readonly [type: string, member: string])[]): readonly string[] {
  const lines = members.map(
    ([type, member]) =>
      `printf("${type} ${member} %zu %zu\\n", offsetof(${type}, ${member}), sizeof(((${type} *)0)->${member}));`,
  );
  const folder = mkdtempSync(join(tmpdir(), "layout-"));
  const source = `#include <linux/bpf.h>\n#include <stddef.h>\n#include <stdio.h>\nint main(void) { ${lines.join("\n")} }`;
  writeFileSync(join(folder, "layout.c"), source);
  execFileSync("gcc", ["-o", join(folder, "layout"), join(folder, "layout.c")]);
  const said = execFileSync(join(folder, "layout"), { encoding: "utf8" });
  rmSync(folder, { recursive: true });
  return said.trim().split("\n");
}

/** Each offset that fields name, with the bytes that are taken there. */
function taken(fields: readonly Field[]): Map<number, number> {
  const all = new Map<number, number>();
  for (const field of fields) {
    all.set(field.at, "size" in field ? 8 : ["value", "fd", "relative", "result"].includes(field.is) ? 4 : 8);
    if ("length" in field) all.set(field.length, 4);
    if ("count" in field) all.set(field.count, 4);
  }
  return all;
}

describe("what the gate knows of the kernel's headers", () => {
  const needsHeader = (context: TestContext) => {
    if (!existsSync(HEADER) || spawnSync("gcc", ["--version"]).status !== 0)
      context.skip("needs linux-libc-dev and gcc");
  };

  it("has each field of bpf_attr where <linux/bpf.h> has it", (context) => {
    needsHeader(context);
    const header = readFileSync(HEADER, "utf8");
    const attr = header.slice(header.indexOf("union bpf_attr {"), header.indexOf("} __attribute__((aligned(8)));"));
    const known = FIELDS.filter(([field]) => new RegExp(`\\b${field}\\b`).test(attr));
    expect(known.length).toBeGreaterThan(40);
    const said = compiled(known.map(([field]) => ["union bpf_attr", field]));
    expect(said.map((line) => line.split(" ").slice(2, 4).join(" "))).toEqual(
      known.map(([field, offset]) => `${field} ${offset}`),
    );
  });

  it("has each field of a command that it copies where the header has it, and as long", (context) => {
    needsHeader(context);
    const expected: string[] = [];
    const rows = [
      ...Object.entries(COPIED).map(([cmd, names]) => [taken(LAYOUTS[Number(cmd)]?.fields ?? []), names, ""] as const),
      ...Object.entries(LINKED).map(([type, names]) => {
        const target = targetOf(ATTACH_TYPES.indexOf(type), 0);
        return [taken(target?.fields ?? []), names, "link_create."] as const;
      }),
    ];
    for (const [fields, names, prefix] of rows)
      for (const [at, size] of fields) expected.push(`union bpf_attr ${prefix}${names[at]} ${at} ${size}`);
    expect(expected.length).toBeGreaterThan(60);
    expect(Object.keys(COPIED)).toEqual(Object.keys(LAYOUTS));
    expect(compiled(expected.map((line) => ["union bpf_attr", line.split(" ")[2] as string]))).toEqual(expected);
  });

  it("has what it reads of bpf_prog_info, verified_insns among it, where the header has it", (context) => {
    needsHeader(context);
    const names = {
      ...{ type: "type", id: "id", tag: "tag", jitedLength: "jited_prog_len", xlatedLength: "xlated_prog_len" },
      ...{ mapCount: "nr_map_ids", mapIds: "map_ids", name: "name", verifiedInsns: "verified_insns" },
    } as const satisfies Record<keyof typeof PROGRAM_INFO, string>;
    const said = compiled(Object.values(names).map((name) => ["struct bpf_prog_info", name]));
    expect(said.map((line) => Number(line.split(" ")[3]))).toEqual(
      Object.keys(names).map((name) => PROGRAM_INFO[name as keyof typeof names]),
    );
  });

  it("has the commands of bpf(2) by their numbers", (context) => {
    if (!existsSync(HEADER)) context.skip("needs linux-libc-dev");
    const body = /enum bpf_cmd \{(.*?)\};/s.exec(readFileSync(HEADER, "utf8"))?.[1] ?? "";
    const names = [...body.matchAll(/^\s*(BPF_\w+),/gm)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(36);
    const known = COMMANDS.map(({ name }) => name);
    expect(known.slice(0, names.length)).toEqual(names.slice(0, known.length));
  });

  it("has the system calls of x86-64 by their numbers", (context) => {
    const header = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h";
    if (!existsSync(header)) context.skip("needs linux-libc-dev on x86-64");
    const numbers = new Map(
      [...readFileSync(header, "utf8").matchAll(/#define __NR_(\w+) (\d+)/g)].map(([, name, number]) => [
        name,
        Number(number),
      ]),
    );
    expect(Object.entries(NR)).toEqual(Object.keys(NR).map((name) => [name, numbers.get(name)]));
  });

  it("has the names of capabilities by their bits", (context) => {
    const header = "/usr/include/linux/capability.h";
    if (!existsSync(header)) context.skip("needs linux-libc-dev");
    const rows = [...readFileSync(header, "utf8").matchAll(/^#define (CAP_[A-Z_]+)\s+(\d+)$/gm)];
    for (const [, name, bit] of rows) expect(CAPABILITY_NAMES[Number(bit)]).toBe(name);
    expect(CAPABILITY_NAMES).toHaveLength(rows.length);
  });
});
