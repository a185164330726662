import { describe, expect, it } from "vitest";
import { doubtLine, limitWords, withinLimits } from "../../../../../src/cli/commands/prove/limits.js";
import { commandLine } from "../../../../../src/cli/program.js";
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

/** All commands that explore policies. `prove check` only evaluates. */
const EXPLORING = ["test", "prove table", "prove property", "prove compare", "prove dead", "prove witness"];

describe("the options that raise a limit", () => {
  it.each(EXPLORING)("are options of `%s`, with the same defaults", async (words) => {
    const [name = "", inner] = words.split(" ");
    const command = (await commandLine(name)).commands.find((one) => one.name() === name);
    const its = inner === undefined ? command : command?.commands.find((one) => one.name() === inner);
    const defaults = its!.options.map(({ long, defaultValue }) => [long, defaultValue]);
    expect(Object.fromEntries(defaults)).toMatchObject({ "--max-paths": 2000, "--timeout": 60 });
  });

  it("are options of these commands only", { tags: ["deep"] }, async () => {
    const { commands } = await commandLine(null);
    const all = commands.flatMap((one) => [one, ...one.commands]);
    const having = all.filter(({ options }) => options.some(({ long }) => long === "--max-paths"));
    expect(having.map((one) => one.name()).sort()).toEqual(EXPLORING.map((words) => words.split(" ").at(-1)).sort());
  });
});
