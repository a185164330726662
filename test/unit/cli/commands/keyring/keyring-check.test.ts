import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Authority } from "../../../../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../../../../src/trust/issuing/sign-cms.js";
import { runCommand } from "../../../../support/command-line.js";

const folder = mkdtempSync(join(tmpdir(), "countersign-keyring-check-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);
const DAY = 86_400_000;
const root = Authority.create({ subject: "Root", notAfter: Date.now() + 400 * DAY });
writeFileSync(at("root.pem"), root.pem.certificate);

/** Checks a configuration with this folder of signatures, which has these files. */
function check(name: string, files: readonly string[], ...words: readonly string[]) {
  mkdirSync(at(name), { recursive: true });
  for (const file of files) {
    mkdirSync(dirname(at(`${name}/${file}`)), { recursive: true });
    writeFileSync(at(`${name}/${file}`), "some bytes");
  }
  return checked([name], ...words);
}

function checked(folders: readonly string[], ...words: readonly string[]) {
  const lines = ["version: 1", "attachments: []", "keyrings: { one: { trust: [root.pem] } }", "signatures:"];
  writeFileSync(at("countersign.yaml"), [...lines, ...folders.map((name) => `  - ${name}`), ""].join("\n"));
  return runCommand("keyring", "check", "--config", at("countersign.yaml"), ...words);
}

const warning = (name: string, line = 5): string =>
  `countersign: warning: ${at("countersign.yaml")}:${line}:5: there is no signature in the folder \`${at(name)}\` ` +
  "[SIGNATURES_MISSING]; correct the path, mount the volume, or remove the folder from `signatures`\n";

describe("keyring check of a folder of signatures", () => {
  it.each([
    ["that is empty", "empty", []],
    ["with files that are no signatures", "texts", ["README.md", "p7s", "ab/program.o"]],
    ["with statements that nobody signed", "statements", [`${"ab".repeat(32)}.statement`]],
  ])("%s warns of it, with the exit code of a check that finds nothing", async (_, name, files) => {
    expect(await check(name, files)).toEqual({
      code: 0,
      out: expect.stringMatching(/^everything is accepted until at least /),
      err: warning(name),
    });
    expect(await check(name, files, "--json")).toEqual({ code: 0, out: "", err: warning(name) });
  });

  it.each(["a.sig", "a.minisig", "a.sigstore.json", "ab/a.sig"])("with the signature %s does not", async (file) => {
    expect(await check(`with ${file.replace("/", " ")}`, [file])).toMatchObject({ code: 0, err: "" });
  });

  it("names each folder without one", async () => {
    mkdirSync(at("first"));
    mkdirSync(at("second"));
    expect((await checked(["first", "second"])).err).toBe(warning("first") + warning("second", 6));
  });

  it.each([
    ["that is missing", "missing", "ENOENT"],
    ["that is a file", "root.pem", "ENOTDIR"],
  ])("%s is an error", async (_, name, errno) => {
    expect(await checked([name])).toEqual({
      code: 2,
      out: "",
      err:
        `countersign: ${at("countersign.yaml")}:5:5: ${at(name)}: cannot be listed: ${errno} [FILE_UNREADABLE]; ` +
        "create the folder, or remove it from `signatures`\n",
    });
  });
});

describe("keyring check of a file with signatures of several signers", () => {
  const signature = (subject: string, by: Authority, days: number): Buffer =>
    signPkcs7(Buffer.from("a"), by.issue({ subject, notAfter: Date.now() + days * DAY }));
  const foreign = Authority.create({ subject: "Foreign root", notAfter: Date.now() + 400 * DAY });

  it("reports the one that a keyring takes longest", async () => {
    mkdirSync(at("several"));
    const put = (...parts: readonly Buffer[]) => writeFileSync(at("several/a.p7s"), Buffer.concat(parts));
    const [short, long, other] = [
      signature("Short", root, 10),
      signature("Long", root, 300),
      signature("Other", foreign, 300),
    ];
    put(other, short, long);
    expect(await checked(["several"], "--days", "30")).toMatchObject({ code: 0 });
    put(other, short);
    expect(await checked(["several"], "--days", "30")).toMatchObject({
      code: 1,
      out: expect.stringMatching(/signature `.*a\.p7s` is accepted .*until/),
    });
    put(other);
    expect(await checked(["several"], "--days", "30")).toMatchObject({
      code: 1,
      out: expect.stringContaining("is rejected"),
    });
  });
});
