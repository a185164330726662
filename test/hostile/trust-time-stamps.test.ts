// @module-tag deep
/** Time stamps, damaged: the token and the message that carries it. */
import { beforeAll, describe, expect, it } from "vitest";
import { ERRNO, verdictName } from "../../src/errno.js";
import { CountersignError } from "../../src/error.js";
import { identifierOf, sequence } from "../../src/trust/asn1/der-writer.js";
import { EXTENSION, KEY_PURPOSE } from "../../src/trust/asn1/oid.js";
import { Authority, extension } from "../../src/trust/issuing/authority.js";
import { signPkcs7 } from "../../src/trust/issuing/sign-cms.js";
import { localStamper, stamped, timeStampRequest, tokenOf } from "../../src/trust/issuing/time-stamp-maker.js";
import { damaged, numbers, seedOf } from "../support/damage.js";
import { bitsOf, SHARE, shareOf } from "../support/share.js";
import { file, trusting } from "../support/trust.js";

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 5, 1);
const data = Buffer.from("instructions");
const usage = extension(EXTENSION.extendedKeyUsage, sequence(identifierOf(KEY_PURPOSE.timeStamping as string)), true);
const root = Authority.create({ subject: "Root", notBefore: NOW - 900 * DAY });
const clock = root.issue({ subject: "Clock", notBefore: NOW - 900 * DAY, usage: null, extensions: [usage] });
/** Expired, so that it is the stamp alone that makes a signature good. */
const signer = root.issue({ subject: "Signer", notBefore: NOW - 200 * DAY, notAfter: NOW - 100 * DAY });
const keyring = trusting([root.pem.certificate], {
  timestamps: { trust: [file("root.pem", root.pem.certificate)] },
});
const stamper = localStamper(clock, () => NOW - 150 * DAY);
const REFUSALS = ["EBADMSG", "EKEYREJECTED", "EKEYEXPIRED", "ENOKEY", "ENOPKG"].map(
  (name) => -ERRNO[name as keyof typeof ERRNO],
);

let signature: Buffer;
beforeAll(async () => {
  signature = await stamped(signPkcs7(data, signer), stamper);
});

describe("a signature that a time stamp keeps good", () => {
  it(`is refused for every single bit that is turned over (${SHARE})`, () => {
    expect(keyring.verify(data, signature, "PKCS7", NOW).verdict).toBe(0);
    for (const bit of bitsOf(signature.length)) {
      const flipped = Buffer.from(signature);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (0x80 >> (bit & 7));
      const { verdict } = keyring.verify(data, flipped, "PKCS7", NOW);
      if (!REFUSALS.includes(verdict)) expect.fail(`bit ${bit}: ${verdictName(verdict)}`);
    }
  });

  const seed = seedOf();
  it(`is refused with a damaged token put in its place (seed ${seed})`, async () => {
    const next = numbers(seed);
    const plain = signPkcs7(data, signer);
    const honest = async (value: Uint8Array) => Buffer.from(await stamper(value));
    for (let round = 0; round < shareOf(1_000); round++) {
      let same = false;
      const forged = await stamped(plain, async (value) => {
        const token = await honest(value);
        const input = damaged(token, next);
        same = input.equals(token);
        return input;
      });
      const { verdict, reason } = keyring.verify(data, forged, "PKCS7", NOW);
      if (!same && !REFUSALS.includes(verdict))
        expect.fail(`seed ${seed}, round ${round}: ${verdictName(verdict)} (${reason}) for ${forged.toString("hex")}`);
    }
  });
});

describe("an authority's damaged answer", () => {
  const seed = seedOf();
  it(`is an error with a name (seed ${seed})`, async () => {
    const next = numbers(seed);
    const request = timeStampRequest(Buffer.from("signature"));
    const answer = sequence(sequence(Buffer.from([2, 1, 0])), Buffer.from(await stamper(Buffer.from("signature"))));
    for (let round = 0; round < shareOf(2_000); round++) {
      try {
        tokenOf(damaged(answer, next), request);
      } catch (error) {
        if (!(error instanceof CountersignError)) throw new Error(`seed ${seed}, round ${round}`, { cause: error });
        expect(error.code).toBe("SIGNING_FAILED");
      }
    }
  });
});
