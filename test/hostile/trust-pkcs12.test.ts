/** PKCS#12 files, damaged: each opens or is an error with a name, in bounded time. */
import { expect, it } from "vitest";
import { CountersignError } from "../../src/error.js";
import { readPkcs12 } from "../../src/trust/issuing/pkcs12.js";
import { damaged, numbers, seedOf } from "../support/damage.js";
import { PASSPHRASE, PKCS12 } from "../support/pkcs12.js";
import { shareOf } from "../support/share.js";
import { file } from "../support/trust.js";

const seed = seedOf();

it(`a damaged PKCS#12 file opens, or is an error with a name (seed ${seed})`, { tags: ["deep"] }, async () => {
  const next = numbers(seed);
  for (let round = 0; round < shareOf(400); round++) {
    const input = damaged(PKCS12, next);
    try {
      await readPkcs12(file("a.p12", input), PASSPHRASE);
    } catch (error) {
      if (!(error instanceof CountersignError))
        throw new Error(`seed ${seed}, round ${round}: ${input.toString("hex")}`, { cause: error });
      expect(["KEY_MALFORMED", "CERTIFICATE_MALFORMED"]).toContain(error.code);
    }
  }
});
