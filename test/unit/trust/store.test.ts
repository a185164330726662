import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MAX_SIGNATURE } from "../../../src/trust/formats/pkcs7.js";
import { Authority } from "../../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../../src/trust/issuing/sign-cms.js";
import { SignatureStore, signatureName } from "../../../src/trust/store.js";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-store-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const digest = "ab".repeat(32);
const put = (name: string, contents: string | Buffer = "signature"): void =>
  writeFileSync(join(folder, name), contents);
const find = (wanted = digest): string | null => {
  const found = SignatureStore.open([folder]).find(wanted);
  return found === null ? null : Buffer.from(found).toString();
};

describe("a signature store", () => {
  it("finds a signature by the digest of the signed data, in one folder or in one for each first byte", () => {
    expect(find()).toBeNull();
    mkdirSync(join(folder, "ab"));
    put(`ab/${signatureName(digest)}`, "deep");
    expect(find()).toBe("deep");
    put(signatureName(digest), "flat");
    expect(find()).toBe("flat");
  });

  it("has the signatures of all its folders, in order, each once", () => {
    const other = join(folder, "other");
    mkdirSync(other);
    const found = () => Buffer.from(SignatureStore.open([folder, other]).find(digest) ?? "");
    const [first, second] = ["First", "Second"].map((subject) =>
      signPkcs7(Buffer.from("a"), Authority.create({ subject, keyUsage: [0] })),
    );
    writeFileSync(join(other, signatureName(digest)), second!);
    expect(found()).toEqual(second);
    put(signatureName(digest), first!);
    expect(found()).toEqual(Buffer.concat([first!, second!]));
    put(signatureName(digest), second!);
    expect(found()).toEqual(second);
    const types = SignatureStore.open([folder, other]).ofStatement(digest);
    expect(types).toEqual([{ type: "PKCS7", bytes: second }]);
  });

  it("leaves out a file that is no signature if another folder has one, and what has no room", {
    tags: ["deep"],
  }, () => {
    const other = join(folder, "other");
    mkdirSync(other);
    const found = () => Buffer.from(SignatureStore.open([folder, other]).find(digest) ?? "");
    const signature = signPkcs7(Buffer.from("a"), Authority.create({ subject: "Signer", keyUsage: [0] }));
    put(signatureName(digest), "damaged");
    writeFileSync(join(other, signatureName(digest)), signature);
    expect(found()).toEqual(signature);
    writeFileSync(join(other, signatureName(digest)), "damaged as well");
    expect(found().toString()).toBe("damaged");
    const many = Buffer.concat(new Array<Buffer>(Math.floor(MAX_SIGNATURE / signature.length)).fill(signature));
    put(signatureName(digest), many);
    writeFileSync(
      join(other, signatureName(digest)),
      signPkcs7(Buffer.from("a"), Authority.create({ subject: "B", keyUsage: [0] })),
    );
    expect(found()).toEqual(many);
  });

  it.each(["../secret", "AB".repeat(32), "ab", "", `${"ab".repeat(32)}\n`, "..".repeat(32)])(
    "looks for no %j, which is no digest",
    (wanted) => {
      put("secret.p7s");
      expect(find(wanted)).toBeNull();
    },
  );

  it("is not there where its folder is not", () => {
    expect(() => SignatureStore.open([join(folder, "none")])).toThrowError(
      expect.objectContaining({ code: "FILE_UNREADABLE", message: "is not a folder of signatures" }),
    );
  });

  it("does not take a folder, a pipe or an archive for a signature, nor wait for one", () => {
    mkdirSync(join(folder, signatureName(digest)));
    expect(() => find()).toThrowError(expect.objectContaining({ code: "FILE_UNREADABLE" }));
    const pipe = "cd".repeat(32);
    execFileSync("mkfifo", [join(folder, signatureName(pipe))]);
    expect(() => find(pipe)).toThrowError(expect.objectContaining({ message: "is not a regular file" }));
    const large = "ef".repeat(32);
    put(signatureName(large), Buffer.alloc(MAX_SIGNATURE + 1));
    expect(() => find(large)).toThrowError(expect.objectContaining({ code: "FILE_TOO_LARGE" }));
  });

  it("reports a signature that it may not read, instead of a missing one", (context) => {
    if (process.getuid?.() === 0) context.skip("needs a user other than root");
    put(signatureName(digest));
    chmodSync(join(folder, signatureName(digest)), 0);
    expect(() => find()).toThrowError(expect.objectContaining({ message: "cannot be read: EACCES" }));
  });
});
