import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Btf } from "../../../src/bpf/btf/btf.js";
import {
  type KernelConfiguration,
  kconfigContents,
  kernelVersion,
  parseKernelConfig,
} from "../../../src/bpf/recognition/kconfig-contents.js";
import { loadedBtf } from "../../../src/bpf/recognition/loaded-btf.js";
import type { ProgramPart } from "../../../src/bpf/statement/content.js";
import { programPartOf } from "../../../src/bpf/statement.js";
import { runningKernel, writeKernelFolder } from "./kernel-folder.js";
import { LibbpfRecorder } from "./libbpf-recorder.js";
import { testedObjects } from "./tested-objects.js";

describe("the BTF, the func_info and the `.kconfig` of a statement", () => {
  it("are what libbpf loads", (context) => {
    const objects = testedObjects();
    const kernel = runningKernel();
    const recorder = LibbpfRecorder.open();
    for (const each of [objects, kernel, recorder]) if (typeof each === "string") return context.skip(each);
    if (typeof objects === "string" || typeof kernel === "string" || typeof recorder === "string") return;
    const folder = mkdtempSync(join(tmpdir(), "countersign-kernel-"));
    try {
      writeKernelFolder(folder, kernel);
      const parts = new Map(objects.map(({ name, bytes }) => [name, programPartOf(bytes)]));
      const vmlinux = new Btf(kernel.vmlinux);
      const configuration = {
        version: kernelVersion(kernel.release, kernel.version, null),
        options: parseKernelConfig(Buffer.from(kernel.config).toString("latin1")),
        hasFunction: (name: string) => vmlinux.find("func", name) !== 0,
        possibleCpus: null,
      };
      const wrong: string[] = [];
      let [compared, configured] = [0, 0];
      for (const { object, program, load } of recorder.record(folder, objects).programs) {
        if (load === null) continue;
        const part = parts.get(object)!;
        const title = `${object}: ${program}`;
        if (hex(load.btf) !== hex(btfOf(part))) wrong.push(`${title}: BTF`);
        if (hex(load.kconfig) !== hex(kconfigOf(part, configuration))) wrong.push(`${title}: .kconfig`);
        if (hex(load.functionInfo) !== hex(functionInfoOf(part, program))) wrong.push(`${title}: func_info`);
        compared += 1;
        if (load.kconfig !== null) configured += 1;
      }
      expect(wrong).toEqual([]);
      expect(compared).toBeGreaterThan(400);
      expect(configured).toBeGreaterThan(5);
    } finally {
      recorder.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

function hex(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString("hex");
}

function btfOf({ object }: ProgramPart): Uint8Array | null {
  return object.btf === null ? null : loadedBtf(Buffer.from(object.btf, "base64"), object);
}

function kconfigOf({ object }: ProgramPart, configuration: KernelConfiguration): Uint8Array | null {
  if (object.btf === null || !object.externs.some(({ kind }) => kind === "kconfig")) return null;
  const contents = kconfigContents(object, Buffer.from(object.btf, "base64"), configuration);
  if (typeof contents === "string") throw new Error(contents);
  return contents;
}

/** struct bpf_func_info (linux/bpf.h) of each function; none if the program itself has none. */
function functionInfoOf({ programs }: ProgramPart, name: string): Uint8Array {
  const { functions } = programs.find((each) => each.name === name)!;
  if (functions[0]!.btf_id === null) return Buffer.alloc(0);
  return Buffer.concat(
    functions.map(({ start, btf_id }) => {
      const record = Buffer.alloc(8);
      record.writeUInt32LE(start, 0);
      record.writeUInt32LE(btf_id ?? 0, 4);
      return record;
    }),
  );
}
