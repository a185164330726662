import { describe, expect, it } from "vitest";
import { completionsOf } from "../../../../src/cli/repl/completions.js";
import type { Session } from "../../../../src/cli/repl/session.js";
import { ROOT_ON_HOST } from "../../../../src/policy/model/current.js";

const subject = {
  type: "xdp",
  effects: { redirects: true, read_only: false },
  helpers: ["a"],
  data: new Uint8Array(2),
};
const session = { argument: "prog", question: { subject, current: ROOT_ON_HOST } } as unknown as Session;
const offered = (typed: string) => completionsOf(session, typed);

describe("completionsOf", () => {
  it.each([
    ["pro", ["prog"], "pro"],
    ["prog.", ["prog.type", "prog.effects", "prog.helpers", "prog.data"], "prog."],
    ["!prog.effects.re", ["prog.effects.redirects", "prog.effects.read_only"], "prog.effects.re"],
    ["1 + current.u", ["current.uid"], "current.u"],
    ["verify_p", ["verify_program"], "verify_p"],
    ["prog.helpers.", [], "prog.helpers."],
    ["prog.data.", [], "prog.data."],
    ["prog.none.x", [], "prog.none.x"],
    ["constructor.", [], "constructor."],
  ])("offers after %j: %j", (typed, names, replaced) => {
    expect(offered(typed)).toEqual([names, replaced]);
  });
});
