import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ERRNO } from "../../../../src/errno.js";
import { HELLO, MINISIGN_KEY, MINISIGN_SIGNATURE } from "../../../support/foreign-vectors.js";
import { minisignIdentity } from "../../../support/minisign.js";
import { trusting } from "../../../support/trust.js";

const NOW = Date.UTC(2026, 5, 1);
const data = Buffer.from("instructions");

describe("a signature of minisign", () => {
  const me = minisignIdentity();
  const keyring = trusting([me.publicKey]);

  it("is valid over the signed data, and names the key's id as minisign prints it", () => {
    const found = keyring.verify(data, me.sign(data), "MINISIGN", NOW);
    expect(found).toMatchObject({ verdict: 0, signer: expect.stringMatching(/^minisign key [0-9A-F]{16}$/) });
  });

  it("counts in its old form as well", () => {
    expect(keyring.verify(data, me.sign(data, { legacy: true }), "MINISIGN", NOW).verdict).toBe(0);
  });

  it("does not count over anything else", () => {
    const other = Buffer.from("other");
    for (const legacy of [false, true])
      expect(keyring.verify(other, me.sign(data, { legacy }), "MINISIGN", NOW)).toMatchObject({
        verdict: -ERRNO.EKEYREJECTED,
        rule: "minisign",
      });
  });

  it("is not passed off as an old one over the digest", () => {
    const digest = createHash("blake2b512").update(data).digest();
    const text = me.sign(data).toString().split("\n");
    const renamed = Buffer.from(text[1] as string, "base64");
    renamed.write("Ed", 0, "latin1");
    const forged = Buffer.from([text[0], renamed.toString("base64"), ...text.slice(2)].join("\n"));
    expect(keyring.verify(digest, forged, "MINISIGN", NOW)).toMatchObject({
      verdict: -ERRNO.EKEYREJECTED,
      reason: "a legacy signature over 64 bytes, which may be the digest of other data",
    });
  });

  it("is refused where its trusted comment is another", () => {
    const forged = Buffer.from(me.sign(data).toString().replace("timestamp:1", "timestamp:2"));
    expect(keyring.verify(data, forged, "MINISIGN", NOW)).toMatchObject({
      verdict: -ERRNO.EKEYREJECTED,
      rule: "minisign trusted comment",
    });
  });

  it("by another key, of an unknown algorithm, or cut short has its own errno", () => {
    expect(keyring.verify(data, minisignIdentity().sign(data), "MINISIGN", NOW).verdict).toBe(-ERRNO.ENOKEY);
    expect(keyring.verify(data, me.sign(data, { algorithm: "XX" }), "MINISIGN", NOW).verdict).toBe(-ERRNO.ENOPKG);
    expect(keyring.verify(data, me.sign(data).subarray(0, -9), "MINISIGN", NOW).verdict).toBe(-ERRNO.EBADMSG);
    expect(keyring.verify(data, Buffer.from("nothing"), "MINISIGN", NOW).verdict).toBe(-ERRNO.EBADMSG);
  });

  it("that minisign made verifies here", () => {
    const found = trusting([MINISIGN_KEY]).verify(HELLO, MINISIGN_SIGNATURE, "MINISIGN", NOW);
    expect(found).toMatchObject({ verdict: 0, signer: "minisign key B41C9AB7734154D9" });
  });
});
