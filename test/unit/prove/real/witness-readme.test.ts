import { expect, it } from "vitest";
import { readmeOf } from "../../../../src/prove/real/witness-readme.js";

const DENIED = { enforced_verdict: "-EPERM", attachment: "tc", reason: "no redirects" };

it("names the conditions of a witness, and each command with what it decides", () => {
  const checked = [{ command: "countersign check a.o", found: DENIED, expected: DENIED, isSame: true }];
  const lines = readmeOf(["prog.type is `xdp`", "current.uid is not 0"], checked as never).split("\n");
  expect(lines).toEqual(
    expect.arrayContaining([
      "- prog.type is `xdp`",
      "- current.uid is not 0",
      "    countersign check a.o",
      "decides: denied -EPERM by tc: no redirects",
    ]),
  );
  expect(lines).not.toContain("- (any would do)");
});

it("says that any input would do where there are no conditions", () => {
  expect(readmeOf([], []).split("\n")).toContain("- (any would do)");
});
