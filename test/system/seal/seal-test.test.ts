import { spawnSync } from "node:child_process";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { ATTACKS } from "../../../src/seal/attacks/attacks.js";
import { own } from "../../support/workplace.js";
import { sealKernel } from "./guests/seal-kernels.js";
import { ATTACKED, testedKernels } from "./guests/tested-kernels.js";

describe("countersign seal test", () => {
  it.for(testedKernels(undefined, ATTACKED))(
    "%s: shows that no attack succeeds that a hook stops",
    { timeout: 900_000 },
    (name, { skip }) => {
      // attacks.test.ts has the short form: the same attacks, by the tests' own guest
      if (process.env.COUNTERSIGN_NIGHTLY === undefined) return skip("takes two boots: only with COUNTERSIGN_NIGHTLY");
      const kernel = sealKernel(name);
      if (typeof kernel === "string") return skip(kernel);
      const words = [own("bin/countersign.js"), "seal", "test", "--json", "--kernel", kernel.image];
      // the modules are kept beside the kernel
      words.push("--modules", dirname(kernel.image));
      if (kernel.firmware !== null) words.push("--firmware", kernel.firmware);
      const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: "utf8", maxBuffer: 1 << 24 });
      const rows = stdout
        .trim()
        .split("\n")
        .map(
          (line) =>
            JSON.parse(line) as { attack: string; hook: string | null; sealed: { outcome: string }; unguarded: object },
        );
      expect(stderr).toBe("");
      expect(rows.map(({ attack }) => attack)).toEqual(
        ATTACKS.filter(({ proof }) => proof !== null).map((attack) => attack.name),
      );
      const code = rows.find(({ attack }) => attack === "efi-runtime");
      expect(code).toMatchObject({ unguarded: { outcome: kernel.firmware === null ? "skipped" : "broken" } });
      expect(rows.filter(({ hook, sealed }) => hook !== null && sealed.outcome === "broken")).toEqual([]);
      expect(status).toBe(0);
    },
  );
});
