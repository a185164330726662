import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, type TestContext } from "vitest";
import { ATTACH_TYPES } from "../../../src/bpf/tables/names.gen.js";
import { CAPABILITY_NAMES } from "../../../src/capability.js";
import { BY_ID, CREATE, GET, LOAD } from "../../../src/gate/call/attr.js";
import { COMMANDS, type CopiedName } from "../../../src/gate/call/command.js";
import type { Field } from "../../../src/gate/commands/copied/fields.js";
import { LINK_TARGET, targetOf } from "../../../src/gate/commands/copied/targets.js";
import { COPIED_COMMANDS } from "../../../src/gate/commands/copied-commands.js";
import { PROGRAM_INFO } from "../../../src/sys/bpf.js";
import { BTF_INFO, MAP_TYPES_INFO, PROGRAM_BTF_INFO } from "../../../src/sys/btf.js";
import { NR } from "../../../src/sys/numbers.js";

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
  ["numa_node", CREATE.numaNode],
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

/** The struct of `union bpf_attr` that has the fields of a copied command, if they are not in the union itself. */
const STRUCTS: Readonly<Partial<Record<CopiedName, string>>> = {
  BPF_PROG_TEST_RUN: "test",
  BPF_RAW_TRACEPOINT_OPEN: "raw_tracepoint",
  BPF_LINK_CREATE: "link_create",
  BPF_LINK_UPDATE: "link_update",
};

/** An attach type of each struct of link_create. Other structs have the same fields in newer headers. */
const LINKED: Readonly<Record<keyof typeof LINK_TARGET, string>> = {
  tcx: "tcx_ingress",
  tracing: "trace_fentry",
  perfEvent: "perf_event",
  kprobeMulti: "trace_kprobe_multi",
  uprobeMulti: "trace_uprobe_multi",
  netfilter: "netfilter",
  iterator: "trace_iter",
};

/** The header's spelling of a name in camel case. */
const spelled = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** The members of a struct by their offsets. */
function members(offsets: Readonly<Record<string, number>>, struct: string): Readonly<Record<number, string>> {
  const names = Object.entries(offsets).filter(([name]) => name !== "size");
  return Object.fromEntries(names.map(([name, at]) => [at, `${struct === "" ? "" : `${struct}.`}${spelled(name)}`]));
}

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

  it("has each field of bpf_attr where <linux/bpf.h> has it", { tags: ["deep"] }, (context) => {
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

  it("has each field of a command that it copies where the header has it, and as long", {
    tags: ["deep"],
  }, (context) => {
    needsHeader(context);
    const expected: string[] = [];
    const add = (names: Readonly<Record<number, string>>, fields: readonly Field[]) => {
      const sizes = taken(fields);
      for (const [at, name] of Object.entries(names))
        expected.push(`union bpf_attr ${name} ${at} ${sizes.get(Number(at)) ?? "any"}`);
      expect(Object.keys(names).map(Number)).toEqual(expect.arrayContaining([...sizes.keys()]));
    };
    for (const [name, { layout }] of Object.entries(COPIED_COMMANDS))
      add(members(layout.attr, STRUCTS[name as CopiedName] ?? ""), layout.fields);
    for (const [struct, type] of Object.entries(LINKED)) {
      const offsets = LINK_TARGET[struct as keyof typeof LINK_TARGET];
      const path = struct === "iterator" ? "link_create" : `link_create.${spelled(struct)}`;
      add(members(offsets, path), targetOf(ATTACH_TYPES.indexOf(type), 0)?.fields ?? []);
    }
    expect(expected.length).toBeGreaterThan(60);
    const said = compiled(expected.map((line) => ["union bpf_attr", line.split(" ")[2] as string]));
    expect(said.map((line, index) => (expected[index]?.endsWith(" any") ? line.replace(/\d+$/, "any") : line))).toEqual(
      expected,
    );
  });

  it("has each field of bpf_prog_info that it reads at the header's offset, verified_insns among them", (context) => {
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

  it("has each field that it reads of BTF and of the types of maps at the header's offset", {
    tags: ["deep"],
  }, (context) => {
    needsHeader(context);
    const structs = [
      [
        "struct bpf_btf_info",
        BTF_INFO,
        { btf: "btf", size: "btf_size", id: "id", name: "name", nameLength: "name_len", ofKernel: "kernel_btf" },
      ],
      [
        "struct bpf_map_info",
        MAP_TYPES_INFO,
        {
          ...{ ifindex: "ifindex", btfId: "btf_id", keyTypeId: "btf_key_type_id", valueTypeId: "btf_value_type_id" },
          mapExtra: "map_extra",
        },
      ],
      ["struct bpf_prog_info", PROGRAM_BTF_INFO, { btfId: "btf_id" }],
    ] as const;
    for (const [struct, offsets, names] of structs) {
      const said = compiled(Object.values(names).map((name) => [struct, name]));
      expect(said.map((line) => Number(line.split(" ")[3]))).toEqual(
        Object.keys(names).map((name) => (offsets as Readonly<Record<string, number>>)[name]),
      );
    }
  });

  it("has the commands of bpf(2) by their numbers", (context) => {
    if (!existsSync(HEADER)) context.skip("needs linux-libc-dev");
    const body = /enum bpf_cmd \{(.*?)\};/s.exec(readFileSync(HEADER, "utf8"))?.[1] ?? "";
    const names = [...body.matchAll(/^\s*(BPF_\w+),/gm)].map(([, name]) => name);
    expect(names.length).toBeGreaterThan(36);
    const known = COMMANDS.map(({ name }) => name);
    expect(COMMANDS.map(({ number }) => number)).toEqual(known.map((_, index) => index));
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
