import { execFileSync, spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { own, Workplace } from "../support/workplace.js";

const PACKAGES = ["xdp-tools", "libxdp1", "libbpf-tools"];

/** Objects that the packages install, and programs that carry them inside; null where they are not installed. */
function installed(): string[] | null {
  try {
    return PACKAGES.flatMap((name) =>
      execFileSync("dpkg", ["-L", name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
        .split("\n")
        .filter((path) => path.endsWith(".o") || (name === "libbpf-tools" && /\/sbin\/./.test(path)))
        .filter((path) => statSync(path).isFile()),
    );
  } catch {
    return null;
  }
}

const files = installed();

function countersign(...words: string[]) {
  const run = spawnSync(process.execPath, [own("bin/countersign.js"), ...words], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  return { code: run.status, err: run.stderr, json: JSON.parse(run.stdout) };
}

describe(`countersign check on every object of ${PACKAGES.join(", ")}`, () => {
  it("decides about each program, and skips none in silence", (context) => {
    if (files === null) context.skip(`needs ${PACKAGES.join(", ")}`);
    const place = new Workplace("  - policy: policies/allow-unsigned-tc.js");
    place.policy("allow-unsigned-tc.js");
    const all = files as string[];
    expect(all.length).toBeGreaterThan(60);

    const checked = countersign("check", "--config", place.config, "--json", ...all);
    expect({ code: checked.code, err: checked.err }).toEqual({ code: 1, err: "" });
    const inspected = countersign("inspect", "--json", ...all);
    const names = (rows: readonly { name: string }[]) => rows.map(({ name }) => name);
    for (const [index, { file, decisions, error }] of checked.json.entries()) {
      expect(error, file).toBeNull();
      expect(decisions.length, file).toBeGreaterThan(0);
      const programs = inspected.json[index].programs;
      expect(names(decisions.map((one: { subject: object }) => one.subject)), file).toEqual(names(programs));
      for (const { denied_by, verdict, answers } of decisions) {
        expect(
          answers.map((one: { fault: object | null }) => one.fault),
          file,
        ).toEqual([null]);
        expect(verdict === 0 || denied_by.reason.startsWith("allow-unsigned-tc: "), file).toBe(true);
      }
    }
  });
});
