import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readConfig } from "../../../../src/config/config.js";
import { Engine } from "../../../../src/engine/decision/engine.js";
import { numberText } from "../../../../src/prove/shared/number-text.js";
import { numbers, seedOf } from "../../../support/damage.js";

const POLICY = `import { deny } from "countersign";
export const blob_verify = (blob) => deny(blob.name.split(" ").map((text) => String(Number(text))).join(" "));`;
const CURRENT = {
  ...{ pid: 1, tid: 1, uid: 0, euid: 0, gid: 0, comm: "x", exe: null, cgroup: null },
  ...{ capabilities: [], namespaces: {}, container: null },
};
/** Numbers in one decision: the text of a denial is bounded. */
const AT_ONCE = 20;

/** The texts of numbers as the engine writes them. */
async function texts(values: readonly number[]): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-"));
  writeFileSync(join(folder, "text.js"), POLICY);
  writeFileSync(join(folder, "countersign.yaml"), "version: 1\nattachments: [{ policy: text.js }]\n");
  const engine = await Engine.open(readConfig(join(folder, "countersign.yaml")));
  const found: string[] = [];
  for (let at = 0; at < values.length; at += AT_ONCE) {
    const name = values.slice(at, at + AT_ONCE).map((value) => value.toExponential(16));
    const subject = { name: name.join(" "), digest: "ab".repeat(32), data: Uint8Array.of(1), signature: null };
    const { denied_by } = engine.decide({ hook: "blob_verify", subject, current: CURRENT });
    found.push(...denied_by!.reason.replace("text: ", "").split(" "));
  }
  engine.close();
  rmSync(folder, { recursive: true });
  return found;
}

it("writes each power of two as the engine does, of which 54 have another text in V8", async () => {
  const powers = Array.from({ length: 1074 + 1024 }, (_, index) => 2 ** (index - 1074));
  const written = powers.map(numberText);
  expect(written).toEqual(await texts(powers));
  expect(powers.filter((power, index) => String(power) !== written[index])).toHaveLength(54);
  expect(powers.map((power) => numberText(-power))).toEqual(written.map((text) => `-${text}`));
});

it("writes other numbers as the engine does", async () => {
  const seed = seedOf();
  const next = numbers(seed);
  const bits = Array.from(
    { length: 4000 },
    () => new Float64Array(Uint32Array.of(next(2 ** 32), next(2 ** 32)).buffer)[0]!,
  );
  const drawn = bits.filter(Number.isFinite);
  expect(drawn.length, `seed ${seed}`).toBeGreaterThan(3000);
  expect(drawn.map(numberText), `seed ${seed}`).toEqual(await texts(drawn));
});
