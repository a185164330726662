import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { EFFECTS } from "../../src/bpf/model/facts.js";
import { factsOfObject } from "../../src/bpf/object.js";
import { BpfCompiler } from "../support/compile-bpf.js";

const FOLDER = join(import.meta.dirname, "programs/effects");
const compiler = new BpfCompiler();
afterAll(() => compiler.close());

/** `// EXPECT effects` in the first line of a source: those that each of its programs has, and perhaps others. */
function expected(source: string): readonly string[] | null {
  const [, effects] = readFileSync(source, "utf8").match(/^\/\/ EXPECT *(.*)$/m) ?? [];
  return effects?.split(" ").filter((name) => name !== "") ?? null;
}

describe("programs whose effects are at an edge of the tables have those that their first line names:", () => {
  for (const file of readdirSync(FOLDER).filter((name) => name.endsWith(".bpf.c"))) {
    const source = join(FOLDER, file);
    const effects = expected(source);
    if (effects === null) continue;
    it(file, (context) => {
      const bytes = compiler.compile(source, ["-O2", "-mcpu=v4", "-Wno-everything"]);
      if (typeof bytes === "string") return context.skip(bytes);
      expect(EFFECTS).toEqual(expect.arrayContaining([...effects]));
      const { programs } = factsOfObject(bytes);
      expect(programs.length).toBeGreaterThan(0);
      for (const program of programs)
        expect(
          effects.filter((name) => !program.effects[name as keyof typeof program.effects]),
          program.name,
        ).toEqual([]);
    });
  }
});
