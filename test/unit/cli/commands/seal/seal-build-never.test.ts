/** Programs that the guard denies always: `seal build` lists none of them, whatever the policies say. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { HELPERS } from "../../../../../src/bpf/tables/names.gen.js";
import { GUARD_HOOKS } from "../../../../../src/seal/guard/hooks.js";
import { parseList } from "../../../../../src/seal/list.js";
import { runCommand } from "../../../../support/command-line.js";
import { type ReturningProgram, returningPrograms } from "../../../../support/returning-programs.js";
import { switchKernel } from "../../../../support/switch-kernel.js";

const folder = mkdtempSync(join(tmpdir(), "countersign-seal-never-"));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HOOKS = GUARD_HOOKS.map(({ hook }) => hook).filter((hook) => hook !== "sysctl");
const SET_RETVAL = HELPERS.indexOf("bpf_set_retval");
const RANDOM = HELPERS.indexOf("bpf_get_prandom_u32");

/** Each kind of program of a hook that could undo the guard, by the section that libbpf loads so. */
const KINDS: Readonly<Record<string, (hook: string) => string>> = {
  lsm: (hook) => `lsm/${hook}`,
  "sleepable lsm": (hook) => `lsm.s/${hook}`,
  lsm_cgroup: (hook) => `lsm_cgroup/${hook}`,
  "lsm of vmlinux": (hook) => `lsm/vmlinux:${hook}`,
  fmod_ret: (hook) => `fmod_ret/security_${hook}`,
  "sleepable fmod_ret": (hook) => `fmod_ret.s/security_${hook}`,
};

function program(section: string, helper?: number): ReturningProgram {
  return { name: section.replaceAll(/\W/g, "_"), section, ...(helper === undefined ? {} : { helper }) };
}

beforeAll(() => {
  const btf = switchKernel();
  const proto = btf.proto(0, []);
  for (const hook of [...HOOKS, "file_open"]) {
    btf.func(`bpf_lsm_${hook}`, proto);
    btf.func(`security_${hook}`, proto);
  }
  btf.func("should_failslab", proto);
  writeFileSync(at("kernel.btf"), btf.bytes());
  writeFileSync(at("deny.js"), "export const bpf_prog_load = () => -1;");
});

interface Row {
  readonly section: string;
  readonly result: string;
  readonly reason: string | null;
}

async function build(attachments: string, programs: readonly ReturningProgram[]) {
  writeFileSync(at("c.yaml"), `version: 1\nattachments: ${attachments}\n`);
  writeFileSync(at("programs.o"), returningPrograms(programs));
  rmSync(at("lists"), { recursive: true, force: true });
  const words = ["--config", at("c.yaml"), "--btf", at("kernel.btf"), "--out", at("lists"), "--no-probes", "--json"];
  const { code, out, err } = await runCommand("seal", "build", "--modules", "all-signed", ...words, at("programs.o"));
  expect(out, err).not.toBe("");
  const rows = out
    .trim()
    .split("\n")
    .map((line): Row => JSON.parse(line));
  const [list] = readdirSync(at("lists"));
  return { code, rows, list: parseList(readFileSync(at(`lists/${list}`))) };
}

describe("countersign seal build, about programs that the guard denies always,", () => {
  it.each(Object.entries(KINDS))("lists no %s program for a hook of the guard", async (_, sectionOf) => {
    const { code, rows, list } = await build(
      "[]",
      HOOKS.map((hook) => program(sectionOf(hook))),
    );
    expect(rows.map(({ section, result }) => [section, result])).toEqual(
      HOOKS.map((hook) => [sectionOf(hook), "never"]),
    );
    expect(list.entries).toEqual([]);
    expect(code).toBe(1);
  });

  it("says why", async () => {
    const { rows } = await build("[]", [
      program("lsm/bpf"),
      program("fmod_ret/security_file_open"),
      program("cgroup/sysctl", SET_RETVAL),
    ]);
    expect(rows.map(({ reason }) => reason)).toEqual([
      "the guard always denies an LSM program on a hook of the guard: it could replace the guard's verdicts there",
      "the guard always denies a program that changes what a security_* function of the kernel returns: the kernel " +
        "would not ask the guard",
      "the guard always denies a sysctl program that calls bpf_set_retval: it could replace the guard's verdicts " +
        "about sysctls",
    ]);
  });

  it("lists programs of these types that cannot undo it", async () => {
    const { code, rows, list } = await build("[]", [
      program("lsm/file_open"),
      program("lsm_cgroup/file_open"),
      program("fmod_ret/should_failslab"),
      program("fentry/security_bpf"),
      program("cgroup/sysctl"),
      program("cgroup/dev", SET_RETVAL),
      program("cgroup/setsockopt", RANDOM),
    ]);
    expect(rows.map(({ section, result }) => [section, result])).toEqual(
      rows.map(({ section }) => [section, "listed"]),
    );
    expect(list.entries.length).toBeGreaterThan(4);
    expect(code).toBe(0);
  });

  it("says that policies deny one if they do", async () => {
    const { code, rows } = await build("[{ policy: deny.js }]", [program("lsm/bpf")]);
    expect(rows.map(({ result }) => result)).toEqual(["denied"]);
    expect(code).toBe(0);
  });
});
