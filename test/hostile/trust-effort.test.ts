// @module-tag deep
/**
 * Signatures of at most 64 KiB that were hunted for what they cost. What a verification takes is bounded by the effort
 * that it is charged for, and what it leaves in a record by a constant.
 */
import "../support/work.js";
import { describe, expect, it } from "vitest";
import { ERRNO } from "../../src/errno.js";
import { MAX_EFFORT } from "../../src/trust/base/effort.js";
import { numbers, seedOf } from "../support/damage.js";
import { hunt, recordOf } from "../support/hostile-signatures.js";
import { COMPLETE, shareOf } from "../support/share.js";
import { spending } from "../support/spent-effort.js";
import { worked } from "../support/work.js";

const ROUNDS = shareOf(10_000);
const seed = seedOf();
const data = Buffer.from("instructions");
/** Blocks of code for a unit; and for keys of the keyring, whose first use is free, and for what has no loop. */
const BLOCKS_A_UNIT = 400;
const BLOCKS_FREE = 50_000;
/** Characters of a reason that was cut off, with how long it was: a name in it has at most 10 characters for a byte. */
const MOST_CHARACTERS = 256 + " (655360 characters)…".length;

describe(`hostile signatures (seed ${seed}, ${ROUNDS} rounds)`, () => {
  it("take work in proportion to their effort, and leave short records", () => {
    const worst = hunt(ROUNDS, numbers(seed), (signature, round) => {
      const keyring = signature.keyring();
      const { result, blocks } = worked(() =>
        spending(() => keyring.verify(data, signature.bytes, "PKCS7", Date.now())),
      );
      const { result: verification, units } = result;
      const record = recordOf(verification);
      const about = `round ${round}, ${signature.bytes.length} bytes: ${verification.reason}`;
      const kib = signature.bytes.length / 1024;
      if (units > MAX_EFFORT)
        expect(verification, about).toMatchObject({ verdict: -ERRNO.EKEYREJECTED, rule: "effort limit" });
      expect(blocks, about).toBeLessThan(BLOCKS_A_UNIT * Math.min(units, MAX_EFFORT) + BLOCKS_FREE);
      if (verification.verdict !== 0) {
        expect(verification.reason.length, about).toBeLessThanOrEqual(MOST_CHARACTERS);
        expect(record, about).toBeLessThan(16_384);
      }
      const judged = Math.min(units, MAX_EFFORT);
      return {
        units: judged,
        "units for each KiB": judged / Math.max(1, kib),
        blocks,
        "blocks for each unit, of 500 and more": units < 500 ? 0 : blocks / judged,
        "characters of a record": record,
        "characters of a record for each KiB": record / Math.max(1, kib),
      };
    });
    // Something was found that costs more than honest messages do
    expect(worst.get("units")?.value).toBeGreaterThan(1_000);
    if (!COMPLETE) return;
    for (const [name, { value, signature }] of worst)
      process.stdout.write(`worst of ${ROUNDS}: ${name}: ${value.toFixed(1)}, by ${signature.bytes.length} bytes\n`);
  }, 3_600_000);
});
