import { describe, expect, it } from "vitest";
import type { AttachmentOfRecord } from "../../../../src/log/input-records.js";
import { DEFAULT_LIMITS, LIMIT_BOUNDS } from "../../../../src/sandbox/shared/limits.js";
import { withinBounds } from "../../../../src/workbench/replay/recorded-limits.js";
import { rejection } from "../../../support/rejection.js";

const attachment = (limits: object): AttachmentOfRecord => ({
  name: "a",
  policy: "00".repeat(32),
  hooks: ["bpf_prog_load"],
  mode: "enforce",
  scope: {},
  limits: { ...DEFAULT_LIMITS, ...limits },
  domain: "default",
  on_fault: "deny",
  delegate: false,
  freeze: false,
});
const LIMITS = Object.entries(LIMIT_BOUNDS);

describe("the limits of an attachment of a log", () => {
  it("stay as they are within the bounds of a configuration", () => {
    expect(withinBounds(attachment({}))).toEqual(attachment({}));
    for (const [limit, bounds] of LIMITS)
      for (const bound of bounds) {
        const its = attachment({ [limit]: bound });
        expect(withinBounds(its)).toEqual(its);
      }
  });

  it("are brought within them, as whole numbers", () => {
    for (const [limit, [least, most]] of LIMITS)
      for (const [value, expected] of [
        [most + 1, most],
        [2e9, most],
        [1e300, most],
        [0, least],
        [-0, least],
        [-1e300, least],
        [least + 0.5, least],
      ] as const)
        expect(withinBounds(attachment({ [limit]: value })).limits).toMatchObject({ [limit]: expected });
  });

  it("must be finite numbers", () => {
    for (const [limit] of LIMITS)
      for (const value of [Number.NaN, Infinity, -Infinity, null, undefined, "1", [1], {}]) {
        const error = rejection(() => withinBounds(attachment({ [limit]: value })));
        expect([error.code, error.message]).toEqual(["LOG_DAMAGED", expect.stringContaining(`\`limits.${limit}\``)]);
      }
  });
});
