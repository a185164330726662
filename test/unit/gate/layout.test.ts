import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BY_ID, CREATE, GET, LOAD } from "../../../src/gate/attr.js";
import { CAPABILITY_NAMES } from "../../../src/gate/capabilities.js";
import { COMMANDS } from "../../../src/gate/command.js";
import { NR } from "../../../src/gate/sys/numbers.js";

const HEADER = "/usr/include/linux/bpf.h";

/** Fields of `union bpf_attr` by what the gate calls them; those of newer kernels are checked where the header has them. */
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

describe("what the gate knows of the kernel's headers", () => {
  it("has each field of bpf_attr where <linux/bpf.h> has it", (context) => {
    if (!existsSync(HEADER) || spawnSync("gcc", ["--version"]).status !== 0)
      context.skip("needs linux-libc-dev and gcc");
    const header = readFileSync(HEADER, "utf8");
    const attr = header.slice(header.indexOf("union bpf_attr {"), header.indexOf("} __attribute__((aligned(8)));"));
    const known = FIELDS.filter(([field]) => new RegExp(`\\b${field}\\b`).test(attr));
    expect(known.length).toBeGreaterThan(40);
    const lines = known.map(([field]) => `printf("${field} %zu\\n", offsetof(union bpf_attr, ${field}));`);
    const folder = mkdtempSync(join(tmpdir(), "layout-"));
    const source = `#include <linux/bpf.h>\n#include <stddef.h>\n#include <stdio.h>\nint main(void) { ${lines.join("\n")} }`;
    writeFileSync(join(folder, "layout.c"), source);
    execFileSync("gcc", ["-o", join(folder, "layout"), join(folder, "layout.c")]);
    const said = execFileSync(join(folder, "layout"), { encoding: "utf8" });
    rmSync(folder, { recursive: true });
    expect(said.trim().split("\n")).toEqual(known.map(([field, offset]) => `${field} ${offset}`));
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
