import { describe, expect, it } from "vitest";
import { classify } from "../../../../src/engine/files/file-content.js";
import { HOOK_NAMES, LOAD_HOOKS } from "../../../../src/hooks/catalogue.js";
import { example } from "../../../support/examples.js";
import { crowdedProgram, elfProgram, signedModule } from "../../../support/file-contents.js";

const PEEK = example("peek-tc");
const DROP = example("drop-telnet");
const PROGRAM = elfProgram(PEEK, DROP);
const FIRST = PROGRAM.indexOf(PEEK);

describe("a file's content", () => {
  it.each([
    ["a BPF object", "a.o", PEEK, "bpf_prog_load", [0]],
    ["a big-endian BPF object", "a.o", example("xdp-steer.be"), "bpf_prog_load", [0]],
    ["a BPF object by any name", "a.ko", PEEK, "bpf_prog_load", [0]],
    ["a program that embeds objects", "a", PROGRAM, "bpf_prog_load", [FIRST, FIRST + PEEK.length]],
    ["a kernel module", "a.ko", elfProgram(), "kernel_read_file", []],
    ["a kernel module that embeds an object", "a.ko", PROGRAM, "kernel_read_file", []],
    ["a signed kernel module by any name", "a", signedModule(), "kernel_read_file", []],
    ["text", "a.txt", Buffer.from("text"), "blob_verify", []],
    ["nothing", "a", new Uint8Array(), "blob_verify", []],
  ])("that is %s is told with its objects", (_, path, bytes, hook, offsets) => {
    const content = classify(path, bytes);
    expect(content).toMatchObject({ path, bytes, hook });
    expect(content.objects.map(({ offset }) => offset)).toEqual(offsets);
  });

  it("has each object's own bytes", () => {
    expect(classify("a", PROGRAM).objects.map(({ bytes }) => Buffer.from(bytes))).toEqual([PEEK, DROP]);
  });

  it("that is ELF without BPF is rejected, unless a hook is named", () => {
    expect(() => classify("a", elfProgram())).toThrow(
      expect.objectContaining({ code: "ELF_NO_PROGRAMS", place: "a", remedy: expect.stringContaining("--hook") }),
    );
    expect(classify("a", elfProgram(), "bprm_check_security")).toMatchObject({ hook: "bprm_check_security" });
    expect(classify("a", elfProgram(), "bpf_prog_load").objects).toEqual([]);
  });

  it.each([undefined, "bpf_prog_load", "bpf_map"] as const)(
    "with too many objects is rejected with its path (hook %s)",
    (hook) => {
      expect(() => classify("a", crowdedProgram(), hook)).toThrow(
        expect.objectContaining({ code: "ELF_UNSUPPORTED", place: "a" }),
      );
    },
  );

  it("does not matter for a hook that is named, and is searched for objects only if the hook needs them", () => {
    for (const hook of HOOK_NAMES) {
      const { hook: chosen, objects } = classify("a.ko", PROGRAM, hook);
      expect({ hook: chosen, objects: objects.length }).toEqual({ hook, objects: LOAD_HOOKS.includes(hook) ? 2 : 0 });
    }
    expect(classify("a", crowdedProgram(), "blob_verify").objects).toEqual([]);
  });
});
