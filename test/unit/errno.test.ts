import { describe, expect, it } from "vitest";
import { isVerdict, verdictName } from "../../src/errno.js";

describe("a verdict", () => {
  it.each([0, -1, -129, -4095])("may be %d", (value) => expect(isVerdict(value)).toBe(true));

  it.each([1, -4096, -0, 0.5, -1.5, Number.NaN, Number.POSITIVE_INFINITY, "0", null, undefined, {}, true])(
    "is never %s",
    (value) => expect(isVerdict(value)).toBe(false),
  );

  it("is named as errno names it", () => {
    expect([0, -1, -61, -129, -4000].map(verdictName)).toEqual(["0", "-EPERM", "-ENODATA", "-EKEYREJECTED", "-4000"]);
  });
});
