import { describe, expect, it } from "vitest";
import { KEYRING } from "../../../src/config/keyring.js";
import { ROWS } from "../../../src/trust/formats/formats.js";

describe("the description of `trust` in a keyring", () => {
  it("names the program of each signature type that has key files, in the order of the types", () => {
    const programs = ROWS.filter(({ keys }) => keys !== null).map(({ doc }) => /^As `?([\w-]+)/.exec(doc)?.[1]);
    expect(programs).toEqual(["ssh-keygen", "minisign"]);
    expect(KEYRING.shape.trust.description).toContain(`also as ${programs.join(" and ")} write them`);
  });
});
