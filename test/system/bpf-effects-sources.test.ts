import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { EFFECTS } from "../../src/bpf/model/facts.js";
import { factsOfObject } from "../../src/bpf/object.js";
import { BpfCompiler } from "../support/compile-bpf.js";

const compiler = new BpfCompiler();
afterAll(() => compiler.close());

/** `// may NAME: effects` of each program in a source. */
function expected(source: string): Record<string, readonly string[]> {
  const lines = readFileSync(source, "utf8").matchAll(/^\/\/ may (\w+): (.+)$/gm);
  return Object.fromEntries(
    [...lines].map(([, name, may]) => [name!, EFFECTS.filter((effect) => may!.split(" ").includes(effect))]),
  );
}

describe.each([
  ["-O2", ["-O2"]],
  ["-O1", ["-O1"]],
  ["-O2 -mcpu=v1", ["-O2", "-mcpu=v1"]],
  ["-O2 -mcpu=v4", ["-O2", "-mcpu=v4"]],
])("compiled with %s, the effects are those that the source shows:", (_, flags) => {
  for (const file of ["network.bpf.c", "tracing.bpf.c"])
    it(file, (context) => {
      const source = join(import.meta.dirname, "programs", file);
      // what this kernel's types declare of its own kfuncs is in the way of the sources' declarations
      const bytes = compiler.compile(source, ["-DBPF_NO_KFUNC_PROTOTYPES", ...flags]);
      if (typeof bytes === "string") return context.skip(bytes);
      const found = factsOfObject(bytes).programs.map(({ name, effects }) => [
        name,
        EFFECTS.filter((effect) => effects[effect]),
      ]);
      expect(Object.fromEntries(found)).toEqual(expected(source));
    });
});
