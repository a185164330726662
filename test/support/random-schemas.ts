// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the strings are policies with templates
/** Schemas of maps drawn by chance, values that satisfy them, and policies that read such values. */
import { MapSchema, type MapSchemaRules } from "../../src/policy/maps/map-schema.js";
import type { ValueSchema } from "../../src/policy/maps/value-schema.js";
import { randomMapPolicy } from "./random-map-policies.js";

type Next = (below: number) => number;

const SCALARS: readonly unknown[] = [null, true, false, 0, 1, 2.5, 5, -3, "", "a", "x", "5"];
const LISTED: readonly unknown[] = [...SCALARS, {}, { a: 5 }, { a: "a", b: [] }, [], ["a"], [5, "a"]];
const TYPES = ["null", "boolean", "object", "array", "number", "string", "integer"] as const;
const NAMES = ["a", "b", "list"] as const;

const one = <T>(next: Next, of: readonly T[]): T => of[next(of.length)]!;
const some = <T>(next: Next, of: readonly T[]): readonly T[] => of.filter(() => next(2) === 0);

/** A schema for the values and the keys of a map. */
export function randomMapSchema(next: Next): MapSchemaRules {
  const keys = [undefined, undefined, { enum: ["x"] }, { enum: ["x", "a", "y"] }, { hex: 1 }][next(5)];
  return { values: randomSchema(next, 3), ...(keys === undefined ? {} : { keys }) };
}

export function randomSchema(next: Next, depth: number): ValueSchema {
  const within = () => (depth === 0 ? { type: one(next, TYPES) } : randomSchema(next, depth - 1));
  switch (next(depth === 0 ? 5 : 9)) {
    case 0:
      return { type: one(next, TYPES) };
    case 1:
      return { type: [...new Set([one(next, TYPES), one(next, TYPES), one(next, TYPES)])] };
    case 2:
      return { enum: [...new Set([one(next, LISTED), one(next, LISTED), one(next, SCALARS)])] };
    case 3:
      return next(3) === 0 ? { const: one(next, LISTED) } : {};
    case 4:
      return { type: one(next, ["integer", "number"] as const), minimum: next(4) - 2, maximum: one(next, [2, 2.5, 5]) };
    case 5:
      return { type: "array", items: within() };
    default:
      return {
        ...(next(3) > 0 ? { type: "object" as const } : {}),
        properties: Object.fromEntries(some(next, NAMES).map((name) => [name, within()])),
        ...(next(2) === 0 ? { required: some(next, NAMES) } : {}),
        additionalProperties: next(2) === 0 ? false : within(),
        ...(next(6) === 0 ? { enum: some(next, LISTED).length > 0 ? [...LISTED.slice(-6)] : [{}] } : {}),
      };
  }
}

/** A value that satisfies a schema, which is drawn as the schema says; undefined if none was found. */
export function schemaValue(schema: ValueSchema, next: Next): unknown {
  const check = new MapSchema({ values: schema });
  for (let tries = 0; tries < 20; tries++) {
    const value = drawn(schema, next, 0);
    if (check.breach("", value) === null) return value;
  }
  return undefined;
}

function drawn(schema: ValueSchema, next: Next, depth: number): unknown {
  const listed = [...(schema.enum ?? []), ...(Object.hasOwn(schema, "const") ? [schema.const] : [])];
  if (listed.length > 0) return one(next, listed);
  switch (schema.type === undefined ? one(next, TYPES) : one(next, [schema.type].flat())) {
    case "object": {
      const names = [...new Set([...(schema.required ?? []), ...some(next, [...NAMES, "toString"])])];
      const of = (name: string) => schema.properties?.[name] ?? (schema.additionalProperties || {});
      const kept = names.filter((name) => schema.additionalProperties !== false || schema.properties?.[name]);
      return Object.fromEntries(kept.map((name) => [name, depth > 3 ? 0 : drawn(of(name), next, depth + 1)]));
    }
    case "array":
      return depth > 3 ? [] : Array.from({ length: next(3) }, () => drawn(schema.items ?? {}, next, depth + 1));
    case "number":
    case "integer":
      return one(next, [0, 1, 2, 2.5, 3, 5, -1, -2, schema.minimum ?? 7, schema.maximum ?? 1e300, 2 ** 53]);
    case "string":
      return one(next, ["", "a", "x", "5", "edge"]);
    case "boolean":
      return next(2) === 0;
    default:
      return null;
  }
}

/** In all of these, `@name` stands for one of its texts. */
const TEXTS: Readonly<Record<string, readonly string[]>> = {
  key: ['"x"', '"y"', '"0f"', "prog.name"],
  part: ["v", "v?.a", "v?.b", "v?.list", "v?.a?.b", "v?.list?.[0]", "v?.c", "(v?.a ?? v)", "v?.b?.list"],
  scalar: ["5", '"a"', "null", "true", "undefined", "2.5", '"x"', "prog.name"],
  condition: [
    ...["@part === @scalar", "@part !== @scalar", "@part", "@part == null", "@part > 2", "@part <= prog.insn_cnt"],
    ...['typeof @part === "object"', 'typeof @part === "number"', "Array.isArray(@part)"],
    ...['@part?.includes?.("a")', "Array.isArray(@part) && @part.some((its) => its === @scalar)"],
    ...["Array.isArray(@part) && @part.length > 1", "(@part ?? 3) === @part", "@condition && @condition"],
  ],
  end: ["deny(`is ${@part}`)", "@condition ? -3 : 0", "-4", "@part", "deny(JSON.stringify([@part ?? 1]))"],
};

/** The text of a policy with one hook that reads a value of the map `program_budget` in depth. */
export function randomSchemaPolicy(next: Next): string {
  if (next(3) === 0) return randomMapPolicy(next);
  const text = (of: string, depth = 0): string => {
    const among = TEXTS[of]!.filter((its) => depth < 4 || !its.includes("@condition"));
    return one(next, among).replace(/@(\w+)/g, (_, name: string) => text(name, depth + 1));
  };
  const early = Array.from({ length: 1 + next(3) }, (_, at) => `if (${text("condition")}) return ${-9 - at};`);
  const look = `const v = map_lookup("program_budget", ${text("key")});`;
  const body = `${look}\n${early.join("\n")}\nreturn ${text("end")};`;
  return `import { deny, map_lookup } from "countersign";\nexport function bpf_prog_load(prog, current) {\n${body}\n}`;
}
