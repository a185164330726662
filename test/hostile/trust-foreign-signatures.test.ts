/**
 * Signatures of other tools, damaged: each is refused with an errno of the closed list, none crashes, none takes long.
 */
import "../support/work.js";
import { describe, expect, it } from "vitest";
import { ERRNO, verdictName } from "../../src/errno.js";
import { CountersignError } from "../../src/error.js";
import type { SignatureType } from "../../src/trust/formats/formats.js";
import { readMaterial } from "../../src/trust/source/source.js";
import { damaged, numbers, seedOf } from "../support/damage.js";
import { minisignIdentity } from "../support/minisign.js";
import { bitsOf, SHARE, shareOf } from "../support/share.js";
import { armored, SSH_KINDS, sshIdentity } from "../support/ssh.js";
import { file, trusting } from "../support/trust.js";
import { growth, worked } from "../support/work.js";

const NOW = Date.UTC(2026, 5, 1);
const data = Buffer.from("instructions");
const REFUSALS = ["EBADMSG", "EKEYREJECTED", "ENOKEY", "ENOPKG"].map((name) => -ERRNO[name as keyof typeof ERRNO]);
const ROUNDS = shareOf(2_000);

const unarmored = (signature: Buffer): Buffer =>
  Buffer.from(signature.toString("latin1").replace(/-----[^\n]+-----|\s/g, ""), "base64");

/** What is inside the armor is damaged, and the armor put back, so that the damage gets past it. */
const SSH = SSH_KINDS.map((kind) => {
  const signer = sshIdentity(kind);
  const blob = unarmored(signer.sign(data));
  return { name: kind, type: "SSHSIG" as SignatureType, trust: signer.line, bytes: blob, wrap: armored };
});
const minisign = minisignIdentity();
const CASES = [
  ...SSH,
  {
    name: "minisign",
    type: "MINISIGN" as const,
    trust: minisign.publicKey,
    bytes: minisign.sign(data),
    wrap: Buffer.from,
  },
];

describe.each(CASES)("a damaged signature ($name)", ({ type, trust, bytes, wrap }) => {
  const keyring = trusting([trust]);
  const seed = seedOf();

  it(`is refused, whatever the damage (seed ${seed})`, () => {
    expect(keyring.verify(data, wrap(bytes), type, NOW).verdict).toBe(0);
    const next = numbers(seed);
    for (let round = 0; round < ROUNDS; round++) {
      const input = damaged(bytes, next);
      const { verdict, reason } = keyring.verify(data, wrap(input), type, NOW);
      if (verdict === 0 && sameMeaning(type, input, bytes)) continue;
      if (!REFUSALS.includes(verdict))
        expect.fail(`seed ${seed}, round ${round}: ${verdictName(verdict)} (${reason}) for ${input.toString("hex")}`);
    }
  });
});

describe.each(SSH_KINDS)("one flipped bit in an SSH signature by a key of type %s", (kind) => {
  it(`is refused (${SHARE})`, () => {
    const signer = sshIdentity(kind);
    const keyring = trusting([signer.line]);
    const blob = unarmored(signer.sign(data));
    for (const bit of bitsOf(blob.length)) {
      const flipped = Buffer.from(blob);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (0x80 >> (bit & 7));
      const { verdict } = keyring.verify(data, armored(flipped), "SSHSIG", NOW);
      if (!REFUSALS.includes(verdict)) expect.fail(`bit ${bit}: ${verdictName(verdict)}`);
    }
  });
});

it("a damaged key file is read, or is an error with a name", { tags: ["deep"] }, () => {
  const seed = seedOf();
  const next = numbers(seed);
  const lines = [
    ...SSH_KINDS.map((kind) => `me namespaces="file",valid-before="20300101Z" ${sshIdentity(kind).line} me`),
    minisign.publicKey,
  ];
  for (let round = 0; round < ROUNDS; round++) {
    const input = damaged(Buffer.from(lines[next(lines.length)] as string), next);
    try {
      readMaterial([file("k", input)]);
    } catch (error) {
      if (error instanceof CountersignError) continue;
      throw new Error(`seed ${seed}, round ${round}: ${input.toString("hex")}`, { cause: error });
    }
  }
});

it("a key line, a pattern and an armor made to take long do not", () => {
  const signer = sshIdentity("ssh-ed25519");
  const inputs: Readonly<Record<string, (size: number) => unknown>> = {
    pattern: (size) => {
      const keyring = trusting([`me namespaces="${"*a".repeat(40)}" ${signer.line}`], {
        ssh: { namespaces: ["a".repeat(size)] },
      });
      return keyring.verify(data, signer.sign(data, { namespace: "a".repeat(size) }), "SSHSIG", NOW);
    },
    armor: (size) =>
      trusting([signer.line]).verify(
        data,
        Buffer.from(`-----BEGIN SSH SIGNATURE-----\n${"A\r\n".repeat(size)}`),
        "SSHSIG",
        NOW,
      ),
    comment: (size) =>
      trusting([signer.line]).verify(data, Buffer.from(`untrusted comment: ${"x".repeat(size)}`), "MINISIGN", NOW),
    line: (size) =>
      expect(() => readMaterial([file("k", `ssh-ed25519 ${"A".repeat(size)}`)])).toThrow(CountersignError),
  };
  for (const [name, read] of Object.entries(inputs)) {
    const [small, large] = name === "pattern" ? [250, 2_000] : [100_000, 900_000];
    expect(
      growth((size) => worked(() => read(size)).blocks, small, large),
      name,
    ).toBeLessThan(2);
  }
});

/** What stands in a minisign signature outside of what is signed: the untrusted comment, and how its lines end. */
function sameMeaning(type: SignatureType, input: Buffer, bytes: Buffer): boolean {
  if (type !== "MINISIGN") return input.equals(bytes);
  const signed = (text: Buffer): string =>
    text
      .toString("latin1")
      .replace(/^untrusted comment:[^\r\n]*/, "")
      .replace(/\r/g, "")
      .trimEnd();
  return signed(input) === signed(bytes);
}
