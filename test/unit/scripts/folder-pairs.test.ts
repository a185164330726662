import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const script = fileURLToPath(new URL("../../../scripts/folder-pairs.mjs", import.meta.url));

it("scripts/folder-pairs.mjs counts the calls of a decision about a signed object, from file to file", {
  tags: ["deep"],
}, () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, "--json"], { encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const { offline } = JSON.parse(stdout);
  // the object's facts, its statement and signature, and the policy in its sandbox
  expect(Object.keys(offline.pairs)).toEqual(
    expect.arrayContaining(["engine -> bpf", "engine -> trust", "engine -> policy", "policy -> sandbox"]),
  );
  expect(offline.files).toBeGreaterThan(50);
  expect(offline.callsBetweenFiles).toBeGreaterThan(offline.calls);
  expect(offline.bothWays).toEqual([]);
});
