import { describe, expect, it } from "vitest";
import {
  type ObjectStatement,
  statementsOf,
  targetless,
  titleOf,
} from "../../../../src/cli/input/object-statements.js";
import { example } from "../../../support/examples.js";
import { rejection } from "../../../support/rejection.js";

/** An executable of another machine that embeds these objects. */
function embedding(...objects: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(64);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  header.writeUInt16LE(62, 18);
  return Buffer.concat([header, ...objects]);
}

const file = embedding(example("rate-limit"), example("xdp-steer"));

function stated(...[bytes, options]: Parameters<typeof statementsOf>): ObjectStatement[] {
  return statementsOf(bytes, options).map((found) => {
    if ("error" in found) throw found.error;
    return found;
  });
}

describe("the statements of a file with several objects", () => {
  it("are one of each", () => {
    const found = stated(file, {});
    expect(found.map(titleOf)).toEqual(["statement of 2 programs", "statement of 3 programs"]);
    expect(new Set(found.map(({ part }) => part.object.sha256)).size).toBe(2);
  });

  it("have the rules that are about them", () => {
    const rules = { fix: ["burst=1"], open: ["map:blocked.pinned"] };
    expect(stated(file, rules).map(({ statement }) => statement.content.rules)).toEqual([
      { fixed: [{ name: "burst", kind: "variable", value: "1" }], open: [] },
      { fixed: [], open: ["map:blocked.pinned"] },
    ]);
  });

  it("are an error for a file without objects", () => {
    expect(rejection(() => statementsOf(embedding(), {}))).toMatchObject({ code: "ELF_NO_PROGRAMS" });
  });

  it("are those of the objects that have a named program", () => {
    const [only, ...others] = stated(file, { program: ["count"] });
    expect(others).toEqual([]);
    expect(only!.part.programs.map(({ name }) => name)).toEqual(["count"]);
  });

  it.each([
    [{ program: ["counts"] }, "`--program counts` names nothing in it (did you mean `count`?)"],
    [{ fix: ["brust=1"] }, "`--fix brust=1` names nothing in it (did you mean `burst`?)"],
    [{ open: ["map:block.pinned"] }, "`--open map:block.pinned` names nothing in it"],
    // of an object of which no program is chosen
    [{ program: ["count"], fix: ["burst"] }, "`--fix burst` names nothing in it"],
  ])("are none with %j", (options, message) => {
    const error = rejection(() => statementsOf(file, options));
    expect(error.code).toBe("USAGE");
    expect(error.message.startsWith(message), error.message).toBe(true);
  });

  it("are left out for an object that libbpf cannot load, unless somebody asks for it", () => {
    const legacy = embedding(example("legacy-count"), example("xdp-steer"));
    const [first, second] = statementsOf(legacy, {});
    expect(first).toMatchObject({ error: { code: "ELF_UNSUPPORTED", place: "object at offset 64: section maps" } });
    expect(second).toHaveProperty("statement");
    expect(rejection(() => statementsOf(legacy, { fixAll: true }))).toMatchObject({ code: "ELF_UNSUPPORTED" });
  });
});

describe("programs without a target", () => {
  it("are those that the signer has not opened", () => {
    const [found] = stated(example("exec-guard"), {});
    const watch = found!.part.programs.find(({ name }) => name === "watch")!;
    const part = { ...found!.part, programs: [{ ...watch, attach_target: null }] };
    expect(targetless({ ...found!, part }).map(({ name }) => name)).toEqual(["watch"]);
    const [open] = stated(example("exec-guard"), { open: ["watch.attach-target"] });
    expect(targetless({ ...open!, part })).toEqual([]);
  });
});
