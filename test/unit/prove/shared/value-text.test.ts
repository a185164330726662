import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readConfig } from "../../../../src/config/config.js";
import { Engine } from "../../../../src/engine/decision/engine.js";
import { jsonText, numberText, valueText } from "../../../../src/prove/shared/value-text.js";
import { numbers, seedOf } from "../../../support/damage.js";

/** How a policy writes each text of the subject's name, which spaces separate. */
const WAYS = {
  number: "String(Number(text))",
  value: "String(JSON.parse(text))",
  json: "JSON.stringify(JSON.parse(text))",
} as const;
const CURRENT = {
  ...{ pid: 1, tid: 1, uid: 0, euid: 0, gid: 0, comm: "x", exe: null, cgroup: null },
  ...{ capabilities: [], namespaces: {}, container: null },
};
/** Numbers in one decision: the text of a denial is bounded. */
const AT_ONCE = 5;

/** The texts as the engine writes them in one of these ways. */
async function written(way: keyof typeof WAYS, given: readonly string[]): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-"));
  const body = `deny(blob.name.split(" ").map((text) => ${WAYS[way]}).join(" "))`;
  writeFileSync(
    join(folder, "text.js"),
    `import { deny } from "countersign";\nexport const blob_verify = (blob) => ${body};`,
  );
  writeFileSync(join(folder, "countersign.yaml"), "version: 1\nattachments: [{ policy: text.js }]\n");
  const engine = await Engine.open(readConfig(join(folder, "countersign.yaml")));
  const found: string[] = [];
  for (let at = 0; at < given.length; at += AT_ONCE) {
    const name = given.slice(at, at + AT_ONCE).join(" ");
    const subject = { name, digest: "ab".repeat(32), data: Uint8Array.of(1), signature: null };
    const { denied_by } = engine.decide({ hook: "blob_verify", subject, current: CURRENT });
    found.push(...denied_by!.reason.replace("text: ", "").split(" "));
  }
  engine.close();
  rmSync(folder, { recursive: true });
  return found;
}

const digits = (value: number) => value.toExponential(16);
const POWERS = Array.from({ length: 1074 + 1024 }, (_, index) => 2 ** (index - 1074));
const LONGER = POWERS.filter((power) => numberText(power) !== String(power));

it("writes each power of two as the engine does, of which 54 have another text in V8", async () => {
  const texts = POWERS.map(numberText);
  expect(texts).toEqual(await written("number", POWERS.map(digits)));
  expect(LONGER).toHaveLength(54);
  expect(POWERS.map((power) => numberText(-power))).toEqual(texts.map((text) => `-${text}`));
});

it("writes other numbers as the engine does", async () => {
  const seed = seedOf();
  const next = numbers(seed);
  const bits = Array.from(
    { length: 4000 },
    () => new Float64Array(Uint32Array.of(next(2 ** 32), next(2 ** 32)).buffer)[0]!,
  );
  const drawn = bits.filter(Number.isFinite);
  expect(new Set(drawn).size, `seed ${seed}`).toBeGreaterThan(3000);
  expect(drawn.map(numberText), `seed ${seed}`).toEqual(await written("number", drawn.map(digits)));
});

/** JSON values with a power of two, and with its digits in a text. */
const SHAPES: Readonly<Record<string, (power: number) => unknown>> = {
  number: (power) => power,
  array: (power) => [-power, [power, null, true], `${power}`],
  object: (power) => ({ [`"${power}`]: power, text: `\\"${power}` }),
};

it.each(Object.keys(SHAPES))(
  "writes JSON text of each of the 54 as the engine does, by its shape: %s",
  async (shape) => {
    const values = LONGER.map(SHAPES[shape]!);
    const given = values.map((value) => JSON.stringify(value));
    const texts = values.map(jsonText);
    expect(texts).toEqual(await written("json", given));
    expect(texts.filter((text, index) => text === given[index])).toEqual([]);
  },
);

it.each(["number", "array"])(
  "converts each of the 54 to a string as the engine does, by its shape: %s",
  async (shape) => {
    const values = LONGER.map(SHAPES[shape]!);
    const texts = values.map(valueText);
    expect(texts).toEqual(
      await written(
        "value",
        values.map((value) => JSON.stringify(value)),
      ),
    );
    expect(texts.filter((text, index) => text === String(values[index]))).toEqual([]);
  },
);
