/** Which key usages a time-stamping certificate may have: the verdict here and that of `openssl ts -verify`. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { identifierOf, sequence } from "../../src/trust/asn1/der-writer.js";
import { EXTENSION, KEY_PURPOSE } from "../../src/trust/asn1/oid.js";
import { readSignedData } from "../../src/trust/cms/cms.js";
import { Authority, extension } from "../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../src/trust/issuing/sign-cms.js";
import { localStamper, stamped } from "../../src/trust/issuing/time-stamp-maker.js";
import { STAMP_USAGES } from "../support/stamp-usages.js";
import { file, trusting } from "../support/trust.js";

const folder = mkdtempSync(join(tmpdir(), "countersign-stamp-usage-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const data = Buffer.from("instructions");
const root = Authority.create({ subject: "Root" });
const signer = root.issue({ subject: "Signer" });
const purpose = sequence(identifierOf(KEY_PURPOSE.timeStamping as string));
const keyring = trusting([root.pem.certificate], {
  timestamps: { trust: [file("root.pem", root.pem.certificate)] },
});

describe("a time stamp counts by its certificate's key usage as it does for openssl ts", () => {
  it.each(STAMP_USAGES)("bits %j: %s", async (keyUsage, counts) => {
    const extensions = [extension(EXTENSION.extendedKeyUsage, purpose, true)];
    const clock = root.issue({ subject: "Clock", keyUsage, usage: null, extensions });
    const cms = await stamped(signPkcs7(data, signer), localStamper(clock));
    expect(keyring.verify(data, cms, "PKCS7", Date.now() + 1000).verdict === 0).toBe(counts);

    const [info] = readSignedData(cms).signers;
    writeFileSync(join(folder, "root.pem"), root.pem.certificate);
    writeFileSync(join(folder, "signature"), info?.signature as Buffer);
    writeFileSync(join(folder, "token"), info?.timeStamp as Buffer);
    const words = "ts -verify -token_in -in token -data signature -CAfile root.pem".split(" ");
    const { status, stderr } = spawnSync("openssl", words, { cwd: folder, encoding: "utf8" });
    expect({ good: status === 0, stderr }).toMatchObject({ good: counts });
  });
});
