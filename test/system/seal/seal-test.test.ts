import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { ATTACKS } from "../../../src/seal/attacks/attacks.js";
import { own } from "../../support/workplace.js";
import { kernelOfSuite } from "../guest/kernel.js";
import { type SealKernel, sealKernel } from "./guests/seal-kernels.js";
import { ATTACKED, testedKernels } from "./guests/tested-kernels.js";

/** Of the generic kernel the whole package, as docs/seal.md shows it: its modules are compressed, in their folders. */
const WHOLE: Partial<Record<SealKernel, "6.12">> = { "6.12-generic": "6.12" };

describe("countersign seal test", () => {
  it.for(testedKernels(undefined, ATTACKED))(
    "%s: shows that no attack succeeds that a hook stops",
    { timeout: 900_000 },
    (name, { skip }) => {
      // attacks.test.ts has the short form: the same attacks, by the tests' own guest
      if (process.env.COUNTERSIGN_NIGHTLY === undefined) return skip("takes two boots: only with COUNTERSIGN_NIGHTLY");
      const kernel = sealKernel(name);
      if (typeof kernel === "string") return skip(kernel);
      const whole = WHOLE[name] === undefined ? null : kernelOfSuite(WHOLE[name]);
      if (typeof whole === "string") return skip(whole);
      const words = [own("bin/countersign.js"), "seal", "test", "--json", "--kernel", whole?.image ?? kernel.image];
      // of the others the modules are kept beside the kernel
      words.push("--modules", whole === null ? dirname(kernel.image) : join(whole.folder, "usr/lib/modules"));
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
