import { describe, expect, it } from "vitest";
import { PERMITS } from "../../../src/sandbox/permits.js";
import { Module } from "../../../src/sandbox/quickjs/module.js";
import { INTRINSICS } from "../../../src/sandbox/start.js";
import { ENGINES, type EngineName, engineCode } from "../../support/engines.js";

/** Every key of the engine's own objects, by the place that it is found at first. */
const WALK = `(() => {
  const proto = Object.getPrototypeOf;
  const syntax = {
    "%Function.prototype%": proto(() => {}),
    "%GeneratorFunction.prototype%": proto(function* () {}),
    "%Generator.prototype%": proto(function* () {}).prototype,
    "%Iterator.prototype%": proto(proto(function* () {}).prototype),
    "%ArrayIterator.prototype%": proto([].values()),
    "%MapIterator.prototype%": proto(new Map().values()),
    "%SetIterator.prototype%": proto(new Set().values()),
    "%StringIterator.prototype%": proto(""[Symbol.iterator]()),
    "%RegExpStringIterator.prototype%": proto("".matchAll(/x/g)),
    "%InternalError.prototype%": InternalError.prototype,
  };
  const found = [];
  const seen = new Set(Object.values(syntax));
  const nameOf = (key) => (typeof key === "symbol" ? "@@" + key.description.replace("Symbol.", "") : key);
  const open = [...Object.entries(syntax), ["globalThis", globalThis]];
  seen.add(globalThis);
  while (open.length > 0) {
    const [place, object] = open.shift();
    for (const key of Reflect.ownKeys(object)) {
      if (typeof object === "function" && (key === "length" || key === "name")) continue;
      const name = nameOf(key);
      found.push(place + " " + name);
      const { value } = Reflect.getOwnPropertyDescriptor(object, key);
      if (value === null || !/^(object|function)$/.test(typeof value) || seen.has(value)) continue;
      seen.add(value);
      open.push([place === "globalThis" ? name : place + "." + name, value]);
    }
  }
  return found.sort().join("\\n");
})()`;

function offered(engine: EngineName): string[] {
  const module = new Module(engineCode(engine));
  const limits = { memory: 64 * 1024 * 1024, stack: 128 * 1024 };
  const callbacks = { called: () => 0 as never, interrupted: () => false };
  const [, context] = module.newContext(limits, INTRINSICS, callbacks);
  return module.readString(context, module.evaluate(context, WALK, "walk")).split("\n");
}

const permitted = (line: string) => {
  const [place = "", key = ""] = line.split(" ");
  return PERMITS[place]?.split(" ").includes(key) === true;
};

describe("what a policy may touch", () => {
  // a new version that offers more, or less, fails here: read what is new, then run vitest with -u
  it.each(Object.keys(ENGINES) as EngineName[])("is known for all that %s offers", async (engine) => {
    const lines = offered(engine).map((line) => `${permitted(line) ? "kept   " : "removed"} ${line}`);
    await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot(`offered-${engine}.txt`);
  });

  it("has no place or key twice, and every key by a name", () => {
    for (const [place, keys] of Object.entries(PERMITS)) {
      const all = keys.split(" ").filter((key) => key !== "");
      expect(new Set(all).size, place).toBe(all.length);
    }
  });

  it("leads to nothing that makes code, reads a clock or chance, or shares memory", () => {
    const keys = Object.values(PERMITS).flatMap((value) => value.split(" "));
    for (const door of [
      "eval",
      "Function",
      "Date",
      "random",
      "Promise",
      "Proxy",
      "Reflect",
      "WeakRef",
      "ArrayBuffer",
      "__proto__",
    ])
      expect(keys).not.toContain(door);
    for (const place of ["%Function.prototype%", "%GeneratorFunction.prototype%"])
      expect(PERMITS[place]?.split(" ")).not.toContain("constructor");
  });
});
