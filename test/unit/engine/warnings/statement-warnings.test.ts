import { describe, expect, it } from "vitest";
import { readConfig } from "../../../../src/config/config.js";
import { Engine } from "../../../../src/engine/decision/engine.js";
import { Workplace } from "../../../support/workplace.js";

const digest = (index: number) => index.toString(16).padStart(64, "0");

describe("a statement that cannot be used", () => {
  async function opened(broken: number) {
    const place = new Workplace("  []");
    for (let index = 0; index < broken; index++) place.write(`signatures/${digest(index)}.statement`, "not one");
    const engine = await Engine.open(readConfig(place.config));
    engine.close();
    return { engine, place };
  }

  it("is a warning, with its place and a remedy", async () => {
    const { engine, place } = await opened(1);
    expect(engine.statements.all).toEqual([]);
    expect(engine.warnings).toEqual([
      {
        code: "STATEMENT_NOT_USED",
        message: "a statement is not used: does not begin with `countersign statement 1`",
        place: `${place.at("signatures")}/${digest(0)}.statement: line 1`,
        remedy: "fetch the statement again, or sign the object again with `sign --programs`",
      },
    ]);
  });

  it("is only counted if there are many", async () => {
    const { engine } = await opened(25);
    expect(engine.warnings).toHaveLength(21);
    expect(engine.warnings.at(-1)).toMatchObject({ message: "5 more statements are not used", place: null });
  });
});
