import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileSignatures } from "../../../../src/engine/files/file-signatures.js";
import { Authority } from "../../../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../../../src/trust/issuing/sign-cms.js";
import { readSignature } from "../../../../src/trust/signature-file.js";
import { SignatureStore } from "../../../../src/trust/store.js";

const signer = Authority.create({ subject: "CA" }).issue({ subject: "Signer" });
const signed = (text: string) => signPkcs7(Buffer.from(text), signer);
const [BESIDE, STORED, GIVEN] = [signed("a"), signed("b"), signed("c")];
const DIGEST = "ab".repeat(32);
const OTHER = "cd".repeat(32);

let folder: string;
let store: SignatureStore;
let file: string;
const write = (name: string, bytes: Uint8Array | string) => writeFileSync(join(folder, name), bytes);
const same = (found: Uint8Array | null) => (found === null ? null : Buffer.from(found));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-"));
  mkdirSync(join(folder, "signatures"));
  store = SignatureStore.open([join(folder, "signatures")]);
  file = join(folder, "a.bin");
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("the signature of a file", () => {
  it("is the given one, else one beside the file, else the store's, else none", () => {
    expect(new FileSignatures(store).ofFile(file, DIGEST)).toBeNull();
    write(`signatures/${DIGEST}.p7s`, STORED);
    expect(same(new FileSignatures(store).ofFile(file, DIGEST))).toEqual(Buffer.from(STORED));
    expect(new FileSignatures(store).ofFile(file, OTHER)).toBeNull();
    write("a.bin.p7s", BESIDE);
    expect(same(new FileSignatures(store).ofFile(file, DIGEST))).toEqual(Buffer.from(BESIDE));
    expect(new FileSignatures(store, GIVEN).ofFile(file, DIGEST)).toBe(GIVEN);
  });

  it("is the first of the suffixes beside it", () => {
    const found = new FileSignatures(store);
    for (const suffix of [".sigstore.json", ".minisig", ".sig"]) {
      write(`a.bin${suffix}`, suffix);
      expect(same(found.ofFile(file, DIGEST))?.toString()).toBe(suffix);
    }
    write("a.bin.p7s", BESIDE);
    expect(same(found.ofFile(file, DIGEST))).toEqual(Buffer.from(BESIDE));
  });

  it("is not read beside the file or in the store if one is given", () => {
    write("a.bin.p7s", "damaged");
    write(`signatures/${DIGEST}.p7s`, "damaged");
    expect(new FileSignatures(store, GIVEN).ofFile(file, DIGEST)).toBe(GIVEN);
    expect(new FileSignatures(store, GIVEN).ofData(DIGEST)).toBe(GIVEN);
  });

  it("is rejected where it is damaged, with its place", () => {
    write("a.bin.p7s", "damaged");
    const beside = { code: "DER_MALFORMED", place: `${file}.p7s: byte 0` };
    expect(() => new FileSignatures(store).ofFile(file, DIGEST)).toThrow(expect.objectContaining(beside));
    expect(() => readSignature(`${file}.p7s`)).toThrow(expect.objectContaining(beside));
    write(`signatures/${DIGEST}.p7s`, "damaged");
    const stored = { code: "DER_MALFORMED", place: `the signature store: ${DIGEST}.p7s: byte 0` };
    expect(() => new FileSignatures(store).ofData(DIGEST)).toThrow(expect.objectContaining(stored));
  });
});

it("the signature of data in a file is the given one or the store's, and none beside the file", () => {
  write("a.bin.p7s", BESIDE);
  expect(new FileSignatures(store).ofData(DIGEST)).toBeNull();
  write(`signatures/${DIGEST}.p7s`, STORED);
  expect(same(new FileSignatures(store).ofData(DIGEST))).toEqual(Buffer.from(STORED));
  expect(new FileSignatures(store, GIVEN).ofData(DIGEST)).toBe(GIVEN);
});
