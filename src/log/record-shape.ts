/** Returns null if a value has the shape, otherwise the path of the first value in it that has not. */
type Shape = (value: unknown) => string | null;

const text: Shape = (value) => (typeof value === "string" ? null : "");
const number: Shape = (value) => (typeof value === "number" ? null : "");
const optional = (shape: Shape): Shape => {
  return (value) => (value === null ? null : shape(value));
};

function list(shape: Shape): Shape {
  return (value) => {
    if (!Array.isArray(value)) return "";
    for (const [index, item] of value.entries()) {
      const path = shape(item);
      if (path !== null) return `[${index}]${path}`;
    }
    return null;
  };
}

/** An object of values of one shape. */
function dictionary(shape: Shape): Shape {
  return (value) => (isObject(value) ? firstPath(Object.keys(value), value, () => shape) : "");
}

/** An object whose fields have these shapes, if it has them. Others can have any value. */
function object(fields: Readonly<Record<string, Shape>>): Shape {
  const names = Object.keys(fields);
  return (value) => (isObject(value) ? firstPath(names, value, (name) => fields[name] as Shape) : "");
}

function firstPath(
  names: readonly string[],
  value: Readonly<Record<string, unknown>>,
  shapeOf: (name: string) => Shape,
): string | null {
  for (const name of names) {
    if (value[name] === undefined) continue;
    const path = shapeOf(name)(value[name]);
    if (path !== null) return `.${name}${path}`;
  }
  return null;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const denial = object({ attachment: optional(text), verdict: number, code: text, rule: text, reason: text });

/** The fields of records that this version reads. */
const record = object({
  level: text,
  type: text,
  time: text,
  judged_time: text,
  origin: text,
  id: text,
  operation: optional(text),
  hook: text,
  mode: text,
  verdict: number,
  enforced_verdict: number,
  denied_by: optional(denial),
  audit_denials: list(denial),
  loader_probe: text,
  subject: object({
    kind: text,
    name: text,
    digest: text,
    path: optional(text),
    id: number,
    statements: list(object({ sha256: text, object_sha256: text, name: text })),
  }),
  current: object({
    pid: number,
    tid: number,
    uid: number,
    euid: number,
    gid: number,
    comm: text,
    exe: optional(text),
    cgroup: optional(text),
    container: optional(object({ id: text, name: optional(text), labels: optional(dictionary(text)) })),
  }),
  answers: list(
    object({
      attachment: text,
      mode: text,
      policy: text,
      verdict: number,
      code: optional(text),
      reason: optional(text),
      fault: optional(object({ code: text, message: text, place: optional(text) })),
      notes: list(text),
    }),
  ),
  duration_us: number,
  shadow: text,
  change: text,
  decided: object({ enforced_verdict: number, denied_by: optional(denial), audit_denials: list(denial) }),
  keyring: text,
  generation: number,
  error: optional(text),
});

/**
 * The path of the first field of a record whose value has another type than readers expect, such as
 * `current.container.labels.tier`; null if there is none.
 */
export function misshapenField(value: object): string | null {
  return record(value)?.slice(1) ?? null;
}
