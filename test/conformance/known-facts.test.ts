import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { subjectsOf } from "../support/file-subjects.js";
import { describedAs, KnownFacts, plainFacts } from "../support/known-facts.js";
import { own } from "../support/workplace.js";

/** Files up to 2 MiB in folders of this system, which differ between systems. */
function filesIn(folder: string, count: number): readonly string[] {
  const paths = readdirSync(folder).map((name) => join(folder, name));
  const files = paths.filter((path) => {
    const found = statSync(path, { throwIfNoEntry: false });
    return found?.isFile() && found.size > 0 && found.size <= 2 ** 21;
  });
  return files.slice(0, count);
}

/** test/system/gate/known-facts.test.ts and test/system/guest/gate.test.ts compare with the operation itself. */
describe("facts of files that are described as they are read", () => {
  it("are those of 15 executables", () => {
    const known = new KnownFacts();
    const differences = filesIn("/usr/bin", 15).flatMap((path) => {
      const data = readFileSync(path);
      const [subject] = subjectsOf(path, data, "bprm_check_security");
      const read = plainFacts("file", subject!);
      const given = { ...read, data: { hex: data.toString("hex") } };
      const described = plainFacts("file", describedAs("executable", "bprm_check_security", given));
      return known.differences("file", "described", described, read);
    });
    expect(differences).toEqual([]);
    expect(known.subjects.get("described file")).toBe(15);
    expect(known.neverCompared("file", "described")).toEqual([]);
  });

  it("are those of 10 blobs, with a signature or without", () => {
    const known = new KnownFacts();
    const differences = filesIn(own("examples"), 10).flatMap((path, index) => {
      const data = readFileSync(path);
      const signature = index % 2 === 0 ? null : Buffer.from(basename(path));
      const [subject] = subjectsOf(path, data, "blob_verify").map((one) => ({ ...one, signature }));
      const read = plainFacts("blob", subject!);
      const hex = (bytes: Uint8Array | null) => bytes && { hex: Buffer.from(bytes).toString("hex") };
      const given = { ...read, data: hex(data), signature: hex(signature) };
      const described = plainFacts("blob", describedAs("blob", "blob_verify", given));
      return known.differences("blob", "described", described, read);
    });
    expect(differences).toEqual([]);
    expect(known.subjects.get("described blob")).toBe(10);
    expect(known.neverCompared("blob", "described")).toEqual([]);
  });
});
