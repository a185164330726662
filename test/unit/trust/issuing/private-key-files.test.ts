import { generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { writePem } from "../../../../src/trust/asn1/pem.js";
import { publicPart, readPrivateKey } from "../../../../src/trust/issuing/private-key.js";
import { minisignLine, readMinisignSecretKey, signMinisign } from "../../../../src/trust/issuing/sign-minisign.js";
import { signRaw } from "../../../../src/trust/issuing/sign-raw.js";
import { signSshsig, sshLine } from "../../../../src/trust/issuing/sign-sshsig.js";
import { sshString } from "../../../../src/trust/ssh/ssh-wire.js";
import { trusting } from "../../../support/trust.js";

const data = Buffer.from("instructions");
const { privateKey } = generateKeyPairSync("ed25519");
const { x = "", d = "" } = privateKey.export({ format: "jwk" });
const [point, seed] = [Buffer.from(x, "base64url"), Buffer.from(d, "base64url")];
const uint32 = (value: number): Buffer => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value]);
const publicBlob = Buffer.concat([sshString("ssh-ed25519"), sshString(point)]);

/** OpenSSH's PROTOCOL.key. */
function openSsh(
  parts: { cipher?: string; keys?: number; second?: number; type?: string; magic?: string } = {},
): Buffer {
  const { cipher = "none", keys = 1, second = 7, type = "ssh-ed25519", magic = "openssh-key-v1\0" } = parts;
  const secret = Buffer.concat([seed, point]);
  const inner = [
    uint32(7),
    uint32(second),
    ...[type, point, secret, "me"].map((part) => sshString(part)),
    Buffer.of(1, 2, 3),
  ];
  const outer = [sshString(cipher), sshString("none"), sshString(""), uint32(keys), sshString(publicBlob)];
  return Buffer.concat([Buffer.from(magic), ...outer, sshString(Buffer.concat(inner))]);
}
const read = (der: Uint8Array): KeyObject =>
  readPrivateKey({ path: "key", bytes: Buffer.from(writePem("OPENSSH PRIVATE KEY", der)) });

describe("a private key of ssh-keygen", () => {
  it("is read, and its signatures verify as RAW and SSHSIG", () => {
    const key = read(openSsh());
    expect(publicPart(key)).toEqual(publicPart(privateKey));
    const ssh = trusting([sshLine(key)]);
    expect(ssh.verify(data, signSshsig(data, key, "file"), "SSHSIG", Date.now()).verdict).toBe(0);
    const raw = trusting([writePem("PUBLIC KEY", publicPart(key))]);
    expect(raw.verify(data, signRaw(data, key), "RAW", Date.now()).verdict).toBe(0);
  });

  it.each([
    [{ cipher: "aes256-ctr" }, "is encrypted"],
    [{ keys: 2 }, "holds several keys"],
    [{ second: 8 }, "the two check numbers of the private key differ, so it is damaged"],
    [{ type: "ssh-dss" }, "is of type `ssh-dss`"],
    [{ type: "__proto__" }, "is of type `__proto__`"],
    [{ magic: "openssh-key-v2\0" }, "does not begin with the magic number of an OpenSSH key"],
  ])("is rejected with %j", (parts, message) => {
    expect(() => read(openSsh(parts))).toThrowError(
      expect.objectContaining({ code: "KEY_MALFORMED", message, place: "key" }),
    );
  });

  it("is rejected where it is cut short anywhere", () => {
    const whole = openSsh();
    for (let length = 1; length < whole.length; length++)
      expect(() => read(whole.subarray(0, length))).toThrowError(expect.objectContaining({ code: "KEY_MALFORMED" }));
  });
});

describe("a secret key of minisign", () => {
  const id = randomBytes(8);
  const secret = (kdf: string): string => {
    const bytes = [
      Buffer.from("Ed"),
      Buffer.from(kdf),
      Buffer.from("B2"),
      Buffer.alloc(48),
      id,
      seed,
      point,
      Buffer.alloc(32),
    ];
    return `untrusted comment: minisign secret key\n${Buffer.concat(bytes).toString("base64")}\n`;
  };
  const readSecret = (text: string) => readMinisignSecretKey({ path: "key", bytes: Buffer.from(text) });

  it("is read, and its signatures verify", () => {
    const identity = readSecret(secret("\0\0"));
    const keyring = trusting([minisignLine(identity)]);
    const signature = signMinisign(data, identity, "a comment");
    expect(keyring.verify(data, signature, "MINISIGN", Date.now()).verdict).toBe(0);
    expect(() => signMinisign(data, identity, "two\nlines")).toThrow("a trusted comment of several lines");
  });

  it("is rejected with a password, and cut short", () => {
    expect(() => readSecret(secret("Sc"))).toThrow("is a minisign secret key with a password");
    expect(() => readSecret(secret("\0\0").slice(0, -9))).toThrow("is not a minisign secret key");
  });
});

describe("an encrypted key", () => {
  const options = { cipher: "aes-256-cbc", passphrase: "secret" } as const;
  const files: readonly (readonly [name: string, bytes: Uint8Array])[] = [
    ["PKCS#8 in PEM", Buffer.from(privateKey.export({ type: "pkcs8", format: "pem", ...options }))],
    ["PKCS#8 in DER", privateKey.export({ type: "pkcs8", format: "der", ...options })],
    [
      "PEM with a header of RFC 1421",
      Buffer.from(
        generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
          type: "sec1",
          format: "pem",
          ...options,
        }),
      ),
    ],
  ];

  // the padding is right by chance for one wrong passphrase of 256
  it.each(files)("opens with its passphrase, and with no other of 1,000: %s", { tags: ["deep"] }, (_, bytes) => {
    const opened = (passphrase: string | null) => readPrivateKey({ path: "locked.key", bytes }, passphrase);
    expect(opened("secret").type).toBe("private");
    expect(() => opened(null)).toThrow("is encrypted");
    for (let index = 0; index < 1000; index += 1)
      expect(() => opened(`guess ${index}`)).toThrow("does not open with this passphrase");
  });

  it("is recognised by its header without spaces, too", () => {
    const [, bytes] = files[2]!;
    const tight = Buffer.from(Buffer.from(bytes).toString().replace("Proc-Type: 4,", "Proc-Type:4,"));
    expect(() => readPrivateKey({ path: "locked.key", bytes: tight })).toThrow("is encrypted");
  });

  it.each([null, "secret"])(
    "is not a public key, whose DER begins with an algorithm, too: passphrase %s",
    (passphrase) => {
      const bytes = publicPart(privateKey);
      expect(() => readPrivateKey({ path: "public.der", bytes }, passphrase)).toThrow("is not a private key");
    },
  );
});
