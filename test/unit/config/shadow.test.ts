import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../../../src/config/config.js";
import { rejection } from "../../support/rejection.js";

describe("the shadow of a configuration", () => {
  let folder: string;
  const write = (name: string, more: object) => {
    writeFileSync(join(folder, name), JSON.stringify({ version: 1, attachments: [], ...more }));
    return join(folder, name);
  };
  const rejected = (more: object) => rejection(() => readConfig(write("countersign.yaml", more), "run"));

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-shadow-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("is read with its configuration, and has the same origin and sealing", () => {
    write("new.yaml", { keyrings: { k: { trust: ["k.pem"] } }, attachments: [{ policy: "b.js" }] });
    const { shadow } = readConfig(write("countersign.yaml", { shadow: "new.yaml" }), "run");
    expect(shadow).toMatchObject({ file: join(folder, "new.yaml"), origin: "run", shadow: null });
    expect(shadow?.keyrings[0]?.sealed).toBe(true);
    expect(shadow?.attachments[0]?.policy).toBe(join(folder, "b.js"));
  });

  it("is null without the key", () => {
    expect(readConfig(write("countersign.yaml", {})).shadow).toBeNull();
  });

  it("is rejected if it has a shadow itself, or is its own", () => {
    write("new.yaml", { shadow: "other.yaml" });
    const { code, message, place } = rejected({ shadow: "new.yaml" });
    expect([code, place]).toEqual(["CONFIG_INVALID", `${join(folder, "new.yaml")}:1:40`]);
    expect(message).toContain("is itself the shadow of");
    expect(rejected({ shadow: "countersign.yaml" }).message).toContain("is itself the shadow of");
  });

  it("is rejected at the key if its file cannot be read, and at its own place if it is invalid", () => {
    const { code, place, remedy } = rejected({ shadow: "nowhere.yaml" });
    expect([code, place]).toEqual(["FILE_UNREADABLE", `${join(folder, "countersign.yaml")}:1:40`]);
    expect(remedy).toBe("name a configuration there, or remove `shadow`");
    write("new.yaml", { atachments: [] });
    expect(rejected({ shadow: "new.yaml" }).place).toContain("new.yaml:1:31");
  });

  it("is rejected if it looks for signatures where its configuration does not", () => {
    write("new.yaml", { signatures: ["a", "b"] });
    const { code, message } = rejected({ shadow: "new.yaml", signatures: ["a"] });
    expect(code).toBe("CONFIG_INVALID");
    expect(message).toContain(`\`${join(folder, "b")}\``);
    expect(readConfig(write("countersign.yaml", { shadow: "new.yaml", signatures: ["b", "a"] })).shadow).not.toBeNull();
  });
});
