import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FORMATS, KEY_FILES, ROWS } from "../../../../src/trust/formats/formats.js";
import { keysOf, readMaterial } from "../../../../src/trust/source/source.js";
import { minisignIdentity } from "../../../support/minisign.js";
import { sshIdentity } from "../../../support/ssh.js";
import { file } from "../../../support/trust.js";

const page = (name: string): string => readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), "utf8");

/** A key file of each format, by the kind of its keys. */
const EXAMPLES: Readonly<Record<string, string>> = {
  "ssh key": sshIdentity("ssh-ed25519").line,
  "minisign key": minisignIdentity().publicKey,
};

describe("a signature format", () => {
  it.each(Object.keys(FORMATS))("%s is in the documents", (type) => {
    expect(page("signatures.md")).toContain(`\n| \`${type}\` | `);
    expect(page("policies.md")).toContain(`\`${type}\``);
  });

  it("has a file ending if and only if it is detached", () => {
    for (const { detached, endings } of ROWS) expect(endings.length > 0).toBe(detached);
  });

  it.each(KEY_FILES)("has the only key files that are a $kind", ({ kind }) => {
    const text = EXAMPLES[kind] as string;
    expect(KEY_FILES.filter((candidate) => candidate.is(text)).map((found) => found.kind)).toEqual([kind]);
    const material = readMaterial([file("key", text)]);
    for (const candidate of KEY_FILES)
      expect(keysOf(material, candidate)).toHaveLength(candidate.kind === kind ? 1 : 0);
  });
});

it("a minisign key whose comment is an SSH key is a minisign key", () => {
  const [, line] = minisignIdentity().publicKey.split("\n");
  const text = `untrusted comment: ${sshIdentity("ssh-ed25519").line}\n${line}\n`;
  expect(KEY_FILES.filter((candidate) => candidate.is(text)).map(({ kind }) => kind)).toEqual(["minisign key"]);
});
