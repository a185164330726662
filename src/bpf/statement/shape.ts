import { CountersignError } from "../../error.js";

/**
 * Checks that a JSON value has a form. Throws STATEMENT_MALFORMED with the path of what is wrong, relative to the
 * value: a path is only put together for an error, since a statement has thousands of values.
 */
export type Shape = (value: unknown) => void;

/** An object with exactly these fields, in the order of canonical JSON (RFC 8785, section 3.2.3). */
export function object(fields: Readonly<Record<string, Shape>>): Shape {
  const names = Object.keys(fields).sort();
  const shapes = names.map((name) => fields[name]!);
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed("is not an object");
    let index = 0;
    // parsed JSON has no inherited fields, and Object.keys would allocate a list for each of thousands of objects
    for (const name in value) {
      if (name !== names[index]) throw otherFields(Object.keys(value), names);
      index += 1;
    }
    if (index !== names.length) throw otherFields(Object.keys(value), names);
    index = 0;
    try {
      for (; index < names.length; index++) shapes[index]!((value as Record<string, unknown>)[names[index]!]);
    } catch (error) {
      throw inside(error, names[index]!);
    }
  };
}

function otherFields(found: readonly string[], names: readonly string[]): CountersignError {
  const unknown = found.find((name) => !names.includes(name));
  if (unknown !== undefined) return malformed(`has the unknown field \`${unknown}\``, "", NEWER);
  const missing = names.find((name) => !found.includes(name));
  if (missing !== undefined) return malformed(`lacks the field \`${missing}\``);
  return notCanonical("");
}

export function notCanonical(place: string): CountersignError {
  return malformed(
    "is not canonical JSON (RFC 8785)",
    place,
    "copy the file again as `sign --programs` wrote it, or sign the object again",
  );
}

export function list(item: Shape, maximum: number): Shape {
  return (value) => {
    if (!Array.isArray(value)) throw malformed("is not an array");
    if (value.length > maximum) throw malformed(`has ${value.length} entries, more than ${maximum}`);
    let index = 0;
    try {
      for (; index < value.length; index++) item(value[index]);
    } catch (error) {
      throw inside(error, `[${index}]`);
    }
  };
}

export function orNull(shape: Shape): Shape {
  return (value) => {
    if (value !== null) shape(value);
  };
}

/** A string of at most this many UTF-16 units. */
export function text(maximum: number, form: RegExp | null = null, what = "text"): Shape {
  return (value) => {
    if (typeof value !== "string") throw malformed("is not a string");
    if (value.length > maximum) throw malformed(`has ${value.length} characters, more than ${maximum}`);
    if (form !== null && !form.test(value)) throw malformed(`is not ${what}`);
  };
}

export function integer(minimum: number, maximum: number): Shape {
  return (value) => {
    if (!Number.isInteger(value)) throw malformed("is not an integer");
    if ((value as number) < minimum || (value as number) > maximum)
      throw malformed(`is not between ${minimum} and ${maximum}`);
  };
}

export function oneOf(...values: readonly (string | number | boolean)[]): Shape {
  return (value) => {
    if (!values.includes(value as string)) throw malformed(`is not one of ${values.join(", ")}`);
  };
}

export const FLAG = oneOf(true, false);

export const NULL: Shape = (value) => {
  if (value !== null) throw malformed("is not null");
};

/** Bytes in base64 in its only canonical form. */
export function base64(maximum: number): Shape {
  return (value) => {
    if (typeof value !== "string") throw malformed("is not a string");
    if (value.length > 4 * Math.ceil(maximum / 3)) throw malformed(`has more than ${maximum} bytes`);
    if (Buffer.from(value, "base64").toString("base64") !== value) throw malformed("is not base64");
  };
}

/** The first shape if the value is a string, the second otherwise. */
export function textOr(text: Shape, other: Shape): Shape {
  return (value) => (typeof value === "string" ? text : other)(value);
}

const FETCH = "fetch the statement again, or sign the object again with `sign --programs`";
/** Remedy for contents that a later version may have written. */
export const NEWER = "use a newer countersign, or sign the object again with `sign --programs` of this one";

export function malformed(message: string, place = "", remedy = FETCH): CountersignError {
  return new CountersignError("STATEMENT_MALFORMED", message, { place, remedy });
}

/** Adds the name of the enclosing value to the path in an error. */
function inside(error: unknown, name: string): unknown {
  if (!(error instanceof CountersignError)) return error;
  const { place = "" } = error;
  const path = place === "" ? name : place.startsWith("[") ? `${name}${place}` : `${name}.${place}`;
  return malformed(error.message, path, error.remedy);
}
