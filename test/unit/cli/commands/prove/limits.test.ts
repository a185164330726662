import { describe, expect, it } from "vitest";
import { doubtLine, limitWords, withinLimits } from "../../../../../src/cli/commands/prove/limits.js";
import { CountersignError } from "../../../../../src/error.js";
import { LimitError } from "../../../../../src/prove/certificate/limit-error.js";
import { limitDoubt } from "../../../../../src/prove/shared/doubt.js";
import type { LimitName } from "../../../../../src/prove/shared/reached-limit.js";
import { rejection } from "../../../../support/rejection.js";

const OPTIONS = [
  ["paths", " (raise --max-paths)", "raise --max-paths"],
  ["timeout", " (raise --timeout)", "raise --timeout"],
  ["cases", "", undefined],
] as const satisfies readonly (readonly [LimitName, string, string | undefined])[];

describe("a limit that an exploration reached", () => {
  it.each(OPTIONS)("is shown with its option, whatever the words are: %s", (limit, raise, remedy) => {
    expect(limitWords("so many", limit)).toBe(`so many${raise}`);
    expect(doubtLine(limitDoubt({ limit, words: "so many" }))).toBe(
      `not decided: the exploration is not complete: so many${raise}`,
    );
    const made = () => {
      throw new LimitError({ limit, words: "so many" }, "`p` at bpf_prog_load", { place: "p.js" });
    };
    const error = rejection(() => withinLimits(made));
    expect(error).toMatchObject({ code: "PROOF_UNSUPPORTED", place: "p.js", remedy });
  });

  it("is not named if something else is not decided", () => {
    expect(doubtLine({ why: "the time limit was reached", place: "p.js:1" })).toBe(
      "not decided at p.js:1: the time limit was reached",
    );
    const other = new CountersignError("PROOF_UNSUPPORTED", "there are more paths than 3");
    const fail = () => {
      throw other;
    };
    expect(rejection(() => withinLimits(fail))).toBe(other);
  });
});
