import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SignatureFormat } from "../../../src/trust/formats/format.js";
import { FORMATS } from "../../../src/trust/formats/formats.js";
import { readSignature, signatureBeside } from "../../../src/trust/signature-file.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "signature-file-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const rows: readonly (readonly [string, SignatureFormat])[] = Object.entries(FORMATS);

describe("a signature file", () => {
  it.each(rows.filter(([, { endings }]) => endings.length > 0))(
    "of type %s is checked if its row says so",
    (_, row) => {
      for (const ending of row.endings) {
        const path = join(folder, `data${ending}`);
        writeFileSync(path, "damaged");
        if (row.check === null) expect(Buffer.from(readSignature(path)).toString()).toBe("damaged");
        else expect(() => readSignature(path)).toThrow(expect.objectContaining({ code: "DER_MALFORMED" }));
      }
    },
  );

  it("with an unknown ending must be CMS", () => {
    writeFileSync(join(folder, "data.txt"), "damaged");
    expect(() => readSignature(join(folder, "data.txt"))).toThrow(expect.objectContaining({ code: "DER_MALFORMED" }));
  });

  it("is found beside the file by the first ending of its format", () => {
    expect(signatureBeside(join(folder, "data"))).toBeNull();
    for (const ending of [".raw", ".sigstore"]) writeFileSync(join(folder, `data${ending}`), ending);
    expect(signatureBeside(join(folder, "data"))).toBeNull();
    for (const ending of [".sigstore.json", ".minisig", ".sig"]) {
      writeFileSync(join(folder, `data${ending}`), ending);
      expect(Buffer.from(signatureBeside(join(folder, "data")) ?? []).toString()).toBe(ending);
    }
  });
});
