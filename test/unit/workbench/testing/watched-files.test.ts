import { spawn } from "node:child_process";
import { renameSync, utimesSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { changeOf } from "../../../../src/workbench/testing/watched-files.js";
import { until } from "../../../support/until.js";
import { own, Workplace } from "../../../support/workplace.js";

const place = new Workplace("  - policy: policies/p.js");
const LATER = Number.POSITIVE_INFINITY;

describe("a change of watched files", () => {
  it.each([
    ["is written", () => place.write("a", "2")],
    ["is replaced", () => renameSync(place.write("a.new", "3"), place.at("a"))],
    ["appears", () => place.write("b", "1")],
  ])("is noticed if a file %s, though another folder does not exist", async (_, change) => {
    place.write("a", "1");
    const noticed = changeOf([place.at("a"), place.at("b"), place.at("none/c")], LATER);
    change();
    expect(await noticed).toBeUndefined();
  });

  it("is noticed if it was before the wait began", async () => {
    utimesSync(place.write("a", "1"), 2_000_000_000, 2_000_000_000);
    expect(await changeOf([place.at("a")], 1_999_999_999_000)).toBeUndefined();
  });
});

describe("countersign test --watch", () => {
  it("runs again after each change, also after an error", { tags: ["deep"] }, async () => {
    const allow = "export const bpf_prog_load = () => 0;\n";
    place.write("policies/p.js", allow);
    place.write("policies/p.test.yaml", "- { program: { type: xdp }, expect: allow }\n");
    const words = [own("bin/countersign.js"), "test", "--watch", "--no-cache", "--config", place.config];
    const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => (text += part));
    const said = async (words: string) => {
      await until(() => expect(text).toContain(words));
      text = "";
    };
    try {
      await said("1 passed, 0 failed");
      place.write("policies/p.js", allow.replace("0", "-1"));
      await said("0 passed, 1 failed");
      place.write("policies/p.js", "export const (\n");
      await said("[POLICY_SYNTAX]");
      place.write("policies/p.js", allow);
      await said("1 passed, 0 failed");
    } finally {
      child.kill();
    }
  });
});
