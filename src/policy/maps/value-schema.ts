/** The types of JSON Schema 2020-12 (validation vocabulary, 6.1.1). */
export type TypeName = "null" | "boolean" | "object" | "array" | "number" | "string" | "integer";

/**
 * A schema for the values of a map: a subset of JSON Schema 2020-12 with the same meaning, so that a keyword says
 * something only about values of its type (`minimum` about numbers, `properties` about objects). Plain data.
 */
export interface ValueSchema {
  readonly type?: TypeName | readonly TypeName[] | undefined;
  readonly enum?: readonly unknown[] | undefined;
  readonly const?: unknown;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly properties?: Readonly<Record<string, ValueSchema>> | undefined;
  readonly required?: readonly string[] | undefined;
  readonly additionalProperties?: false | ValueSchema | undefined;
  readonly items?: ValueSchema | undefined;
  readonly description?: string | undefined;
}

/** What breaks a schema: the path within the value, and what is wrong there. */
export interface Breach {
  readonly path: readonly (string | number)[];
  readonly flaw: string;
}

/** Returns the first part of a value that breaks the schema; null if there is none. */
export type ValueCheck = (value: unknown) => Breach | null;

/** Prepares the check of a schema. A value is visited only as deep as the schema is, however deep it is itself. */
export function valueCheck(schema: ValueSchema): ValueCheck {
  const { minimum = -Infinity, maximum = Infinity, required = [] } = schema;
  const types = schema.type === undefined ? null : [schema.type].flat();
  const listed = schema.enum === undefined ? null : isAmong(schema.enum);
  const isConst = Object.hasOwn(schema, "const") ? isAmong([schema.const]) : null;
  const properties = new Map(Object.entries(schema.properties ?? {}).map(([name, its]) => [name, valueCheck(its)]));
  const { additionalProperties } = schema;
  const others = additionalProperties ? valueCheck(additionalProperties) : null;
  const items = schema.items === undefined ? null : valueCheck(schema.items);
  const visits = schema.properties !== undefined || additionalProperties !== undefined;

  return (value) => {
    if (types !== null && !types.some((type) => hasType(value, type)))
      return breach(`is ${nameOf(value)}, where \`type\` is ${types.join(" or ")}`);
    if (listed !== null && !listed(value)) return breach("is none of the values of `enum`");
    if (isConst !== null && !isConst(value)) return breach("is not the value of `const`");
    if (typeof value === "number") {
      if (value < minimum) return breach(`is ${value}, less than the \`minimum\` ${minimum}`);
      if (value > maximum) return breach(`is ${value}, more than the \`maximum\` ${maximum}`);
    } else if (Array.isArray(value)) {
      if (items === null) return null;
      for (let index = 0; index < value.length; index++) {
        const found = items(value[index]);
        if (found !== null) return within(index, found);
      }
    } else if (typeof value === "object" && value !== null) {
      for (const name of required)
        if (!Object.hasOwn(value, name)) return breach(`lacks \`${name}\`, which is \`required\``);
      if (!visits) return null;
      for (const name of Object.keys(value)) {
        const check = properties.get(name) ?? others;
        if (check === null && additionalProperties === false)
          return { path: [name], flaw: "is none of the `properties`" };
        const found = check?.((value as Readonly<Record<string, unknown>>)[name]) ?? null;
        if (found !== null) return within(name, found);
      }
    }
    return null;
  };
}

function breach(flaw: string): Breach {
  return { path: [], flaw };
}

function within(step: string | number, { path, flaw }: Breach): Breach {
  return { path: [step, ...path], flaw };
}

function hasType(value: unknown, type: TypeName): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    case "number":
      return Number.isFinite(value);
    default:
      return typeof value === type;
  }
}

function nameOf(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
}

/** Values are equal as in JSON Schema: 1.0 is 1, and the order of an object's keys has no meaning. */
function isAmong(values: readonly unknown[]): (value: unknown) => boolean {
  const isObject = (value: unknown) => typeof value === "object" && value !== null;
  const scalars = new Set(values.filter((value) => !isObject(value)));
  const objects = values.filter(isObject);
  return (value) => (isObject(value) ? objects.some((one) => isEqual(one, value)) : scalars.has(value));
}

function isEqual(left: unknown, right: unknown): boolean {
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return left === right;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const names = Object.keys(left);
  if (names.length !== Object.keys(right).length) return false;
  const at = (value: object, name: string) => (value as Readonly<Record<string, unknown>>)[name];
  return names.every((name) => Object.hasOwn(right, name) && isEqual(at(left, name), at(right, name)));
}
