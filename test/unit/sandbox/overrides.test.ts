import { describe, expect, it } from "vitest";
import { OVERRIDABLE, PERMITS } from "../../../src/sandbox/permits.js";
import { engineCode } from "../../support/engines.js";
import { blob, Guest } from "../../support/guest.js";

const ERRORS = Object.keys(PERMITS).filter((place) => place.endsWith("Error"));

/** By the place of a prototype: objects that inherit from it, one of them of a class that extends its constructor. */
const INSTANCES: Readonly<Record<string, readonly string[]>> = {
  "Object.prototype": ["{}", "new (class {})()", "Object.create({})", "JSON.parse('{}')"],
  "%Function.prototype%": ["() => 0", "function () {}", "class {}", "class extends Map {}"],
  "%Generator.prototype%": ["(function* () {})()"],
  "%Iterator.prototype%": ["[].values()", "(function* () {})()"],
  ...Object.fromEntries(
    ERRORS.map((name) => [`${name}.prototype`, [`new ${name}([])`, `new (class extends ${name} {})([])`]]),
  ),
  "Array.prototype": ["[]", "new (class extends Array {})()", "Object.create([])"],
  "Map.prototype": ["new Map()", "new (class extends Map {})()"],
  "Set.prototype": ["new Set()", "new (class extends Set {})()"],
};

/** Ways to assign, of which each makes an own property of what inherits it. */
const WAYS: Readonly<Record<string, string>> = {
  assignment: "object[key] = 1",
  "Object.assign": "Object.assign(object, { [key]: 1 })",
  "compound assignment": "object[key] ??= 1; object[key] &&= 1",
  destructuring: "[object[key]] = [1]",
  "a loop's target": "for (object[key] of [1]);",
  "assignment on an object between": "object = Object.create(object); object[key] = 1",
  "assignment twice": "object[key] = 0; object[key] = 1",
};

const keysOf = (place: string) => PERMITS[place]!.split(" ");

/** A function's body that gives back, for each key and way, what came of it. */
const probe = (instance: string, keys: readonly string[]) => `
  const found = [];
  const ways = { ${Object.entries(WAYS).map(([name, code]) => `${JSON.stringify(name)}(object, key) { ${code}; return object; }`)} };
  for (const name of ${JSON.stringify(keys)}) {
    const key = name.startsWith("@@") ? Symbol[name.slice(2)] : name;
    for (const way of Object.keys(ways)) {
      let told;
      try {
        const object = ways[way](${instance}, key);
        const own = Object.getOwnPropertyDescriptor(object, key);
        told = [object[key] === 1, own.value === 1, own.writable, own.enumerable, own.configurable].join();
      } catch (error) {
        told = error.name;
      }
      found.push(name + " by " + way + ": " + told);
    }
  }
  return found;`;

const CASES = Object.entries(INSTANCES).flatMap(([place, instances]) =>
  instances.map((instance) => [`(${instance})`, place] as const),
);

describe.each(["quickjs", "quickjs-ng"] as const)("assigning to what is inherited on %s", (engine) => {
  const guest = new Guest({ code: engineCode(engine) });

  it.each(CASES)("gives %s its own property, as node does: each key of %s", (instance, place) => {
    const keys = place.startsWith("%")
      ? keysOf(place)
      : [...new Set([...keysOf(place), ...keysOf("Object.prototype")])];
    const expected = new Function(`"use strict"; ${probe(instance, keys)}`)() as string[];
    expect(expected.filter((line) => line.endsWith("true,true,true,true,true")).length).toBeGreaterThan(keys.length);
    const text = `import { note } from "countersign";\n${blob(`
      const expected = ${JSON.stringify(expected)};
      const found = (() => { ${probe(instance, keys)} })();
      for (const [index, line] of found.entries()) if (line !== expected[index]) note(line + ", not " + expected[index]);
      return found.length - expected.length;`)}`;
    expect(guest.ask(text, { limits: { timeout: 10_000, steps: 1e6 } })).toMatchObject({
      verdict: 0,
      fault: null,
      notes: [],
    });
  });

  it("has rows for all that can be overridden, and for nothing else", () => {
    const hidden = ["%InternalError.prototype%"];
    expect([...Object.keys(INSTANCES), ...hidden].sort()).toEqual(Object.keys(OVERRIDABLE).sort());
  });

  it("leaves the intrinsics themselves as they are, and shows them frozen", () => {
    const text = `import { note } from "countersign";\n${blob(`
      for (const [place, object] of [["Object", Object.prototype], ["Array", Array.prototype], ["Map", Map.prototype],
        ["Error", Error.prototype], ["TypeError", TypeError.prototype], ["Function", Object.getPrototypeOf(() => 0)]]) {
        const all = Object.getOwnPropertyDescriptors(object);
        for (const key of [...Object.getOwnPropertyNames(object), ...Object.getOwnPropertySymbols(object)]) {
          const { value, get, set, writable, configurable } = Object.getOwnPropertyDescriptor(object, key);
          const name = place + " " + String(key);
          if (writable === true || configurable || set !== undefined) note(name + " is not frozen");
          if (get !== undefined && !Object.isFrozen(get)) note(name + " has a getter that is not frozen");
          if (all[key].value !== value || all[key].get !== get || all[key].set !== set) note(name + " is described in two ways");
          if (typeof value === "function" && !Object.isFrozen(value)) note(name + " holds what is not frozen");
          const before = get === undefined ? object[key] : null;
          try { object[key] = 1; note(name + " was assigned to"); } catch (error) { if (error.name !== "TypeError") throw error; }
          try { Object.defineProperty(object, key, { value: 1 }); if (before !== 1) note(name + " was defined"); } catch {}
          if (get === undefined && object[key] !== before) note(name + " has changed");
        }
      }
      return 0;`)}`;
    expect(guest.ask(text, { limits: { timeout: 10_000 } })).toMatchObject({ verdict: 0, fault: null, notes: [] });
  });

  it("is still rejected on what is frozen, and on primitives", { tags: ["deep"] }, () => {
    for (const object of [
      "Object.freeze({})",
      "Object.freeze([])",
      "Object.preventExtensions({})",
      "Object.prototype",
      "Math",
      '"text"',
      "5",
      "true",
      "5n",
      "Symbol.iterator",
    ])
      expect(guest.ask(blob(`const object = ${object}; object.toString = 1; return 0;`)).fault, object).toMatchObject({
        code: "POLICY_ERROR",
        message: expect.stringMatching(/^threw TypeError: /),
      });
  });

  it("sets what `super` names on `this`", () => {
    const body = `class Base {}
      class Named extends Base { constructor() { super(); super.toString = 1; super.toString = 2; } }
      class Got extends Base { get valueOf() { return 1; } constructor() { super(); super.valueOf = 3; } }
      return new Named().toString === 2 && Object.keys(new Named()).join() === "toString" && new Got().valueOf === 3 ? 0 : -1;`;
    expect(new Function(body)()).toBe(0);
    expect(guest.ask(blob(body))).toMatchObject({ verdict: 0, fault: null });
  });

  it.each(ERRORS)("names an error of a class that extends %s by the name that it gave itself", (name) => {
    const head = `class Bad extends ${name} { constructor(message) { super([]); this.name = "Bad"; this.message = message; } }\n`;
    expect(guest.ask(blob(`throw new Bad("why");`, head)).fault?.message).toBe("threw Bad: why");
    expect(guest.ask(blob(`throw new ${name}(${name === "AggregateError" ? "[], " : ""}"why");`)).fault?.message).toBe(
      `threw ${name}: why`,
    );
    expect(
      guest.ask(
        blob(
          `try { throw new Bad("why"); } catch (e) { return e instanceof Bad && String(e) === "Bad: why" ? 0 : -1; }`,
          head,
        ),
      ),
    ).toMatchObject({ verdict: 0, fault: null });
  });
});

describe("keys that a caller chooses", () => {
  const guest = new Guest();
  // the length of an array takes numbers alone, and that of a function takes none, in node as well
  const keys = [Object.getOwnPropertyNames(Object.prototype), keysOf("Array.prototype"), keysOf("Map.prototype")]
    .flat()
    .filter((key) => key !== "length" && !key.startsWith("@@"));
  const body = (dictionary: string) =>
    `const seen = ${dictionary};
    for (const key of Object.keys(current.container.labels)) seen[key] = true;
    return seen.trusted === true ? 0 : deny("not trusted");`;
  const head = `import { deny } from "countersign";\n`;
  const ask = (dictionary: string, labels: Readonly<Record<string, string>>) =>
    guest.ask(blob(body(dictionary), head), {
      current: { container: { id: "c", name: null, labels, annotations: {} } },
    });

  // with a fault here, an attachment with `on_fault: allow` would allow
  it.each(["{}", "[]", "() => 0", "new (class {})()", "Object.create(null)"])(
    "deny as others do, in %s",
    (dictionary) => {
      for (const key of new Set(keys)) {
        const labels = JSON.parse(`{"app":"x",${JSON.stringify(key)}:"y"}`) as Record<string, string>;
        expect(ask(dictionary, labels), key).toMatchObject({ verdict: -1, fault: null, reason: "not trusted" });
        expect(ask(dictionary, { ...labels, trusted: "y" }), key).toMatchObject({ verdict: 0, fault: null });
      }
    },
  );
});
