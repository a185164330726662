import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { readPkcs12, readPkcs12Identity } from "../../../../src/trust/issuing/pkcs12.js";
import { publicPart } from "../../../../src/trust/issuing/private-key.js";
import { PASSPHRASE, PKCS12 } from "../../../support/pkcs12.js";
import { file } from "../../../support/trust.js";

describe("a PKCS#12 file", () => {
  it("gives its key and the certificate of it, byte for byte", async () => {
    const { key, certificate, chain } = await readPkcs12Identity(file("a.p12", PKCS12), PASSPHRASE);
    expect(String(certificate)).toBe("CN=Signer");
    expect(certificate.publicKey.spki.whole.equals(publicPart(key))).toBe(true);
    expect(chain).toEqual([]);
    // its own signature is over these very bytes
    const own = new X509Certificate(certificate.der);
    expect(own.verify(own.publicKey)).toBe(true);
  });

  it.each([
    ["another passphrase", "guess", "does not open with this passphrase, or is not PKCS#12"],
    ["no passphrase", null, "does not open without a passphrase"],
  ])("does not open with %s", async (_, passphrase, message) => {
    await expect(readPkcs12(file("a.p12", PKCS12), passphrase)).rejects.toMatchObject({
      code: "KEY_MALFORMED",
      place: "a.p12",
      message,
    });
  });

  it("that asks for endless rounds is refused before the first", async () => {
    // the iterations of the MAC are the last thing in the file
    const bomb = Buffer.concat([PKCS12.subarray(0, -4), Buffer.from([0x02, 0x04, 0x7f, 0xff, 0xff, 0xff])]);
    bomb.writeUInt16BE(bomb.readUInt16BE(2) + 2, 2);
    const mac = bomb.lastIndexOf(Buffer.from([0x30, 0x31]));
    expect(mac).toBeGreaterThan(0);
    // two billion rounds would not end within the time that a test has
    await expect(readPkcs12(file("a.p12", bomb), PASSPHRASE)).rejects.toMatchObject({ code: "KEY_MALFORMED" });
  });
});
