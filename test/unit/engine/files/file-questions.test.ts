import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { questionsAboutFile } from "../../../../src/engine/files/file-questions.js";
import { elfProgram, signedModule } from "../../../support/file-contents.js";
import { own } from "../../../support/workplace.js";

const PEEK = own("examples/peek-tc.o");

let folder: string;
const at = (name: string) => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-"));
  writeFileSync(at("blob"), "blob");
  writeFileSync(at("module.ko"), signedModule());
  writeFileSync(at("program"), elfProgram());
});
afterAll(() => rmSync(folder, { recursive: true }));

const asked = (path: string, options = {}) =>
  questionsAboutFile(path, [], options).map(({ hook, subject }) => `${hook} ${subject.name}`);

describe("the questions about a file, for a program that embeds the engine", () => {
  it("are those of a whole load for a BPF object, whatever the configuration serves", () => {
    expect(asked(PEEK)).toEqual([
      "bpf BPF_MAP_CREATE",
      "bpf_map_create stolen",
      "bpf_map stolen",
      "bpf BPF_PROG_LOAD",
      "bpf_prog_load peek",
      "bpf_prog peek",
    ]);
  });

  it("are one for a kernel module, and for a hook that is named", () => {
    expect(asked(at("module.ko"))).toEqual(["kernel_read_file module.ko"]);
    expect(asked(at("blob"), { hook: "blob_verify" })).toEqual(["blob_verify blob"]);
    expect(asked(at("program"), { hook: "bprm_check_security" })).toEqual(["bprm_check_security program"]);
    expect(asked(PEEK, { hook: "bpf_map" })).toEqual(["bpf_map stolen"]);
  });

  it("have the signature that is given", () => {
    const signature = Uint8Array.of(1);
    for (const { subject } of questionsAboutFile(PEEK, [], { hook: "bpf_prog_load", signature }))
      expect(subject).toMatchObject({ signature, object: { path: PEEK, signature } });
  });

  it.each([
    ["a blob without a named hook", "blob", {}, "ELF_NO_PROGRAMS"],
    ["an ELF file without BPF", "program", {}, "ELF_NO_PROGRAMS"],
    ["an ELF file without BPF at a hook about BPF", "program", { hook: "bpf_prog" }, "ELF_NO_PROGRAMS"],
    ["a blob at a hook about BPF", "blob", { hook: "bpf_prog_load" }, "ELF_MALFORMED"],
    ["a hook that is not about a file", "blob", { hook: "bpf_token_create" }, "USAGE"],
    ["a missing file", "missing", {}, "FILE_UNREADABLE"],
  ])("reject %s with its path", (_, name, options, code) => {
    expect(() => asked(at(name), options)).toThrow(
      expect.objectContaining({ code, place: expect.stringContaining(at(name)) }),
    );
  });
});
