import type { DefinitionType } from "./input-records.js";

/** Returns null if a value has the shape, otherwise the path of the first value in it that has not. */
type Shape = (value: unknown) => string | null;

const text: Shape = (value) => (typeof value === "string" ? null : "");
const number: Shape = (value) => (typeof value === "number" ? null : "");
const boolean: Shape = (value) => (typeof value === "boolean" ? null : "");
const anyObject: Shape = (value) => (isObject(value) ? null : "");
const optional = (shape: Shape): Shape => {
  return (value) => (value === null ? null : shape(value));
};

/** The shape of a field that {@link complete} asks for, and that the first writers of the record did not write. */
const ifThere = (shape: Shape): Shape => {
  return (value) => (value === undefined ? null : shape(value));
};

function list(shape: Shape): Shape {
  return (value) => {
    if (!Array.isArray(value)) return "";
    for (let index = 0; index < value.length; index++) {
      const path = shape(value[index]);
      if (path !== null) return `[${index}]${path}`;
    }
    return null;
  };
}

/** An object of values of one shape. */
function dictionary(shape: Shape): Shape {
  return (value) => {
    if (!isObject(value)) return "";
    for (const name of Object.keys(value)) {
      const path = value[name] === undefined ? null : shape(value[name]);
      if (path !== null) return `.${name}${path}`;
    }
    return null;
  };
}

/** An object whose fields have these shapes, if it has them. Others can have any value. */
function object(fields: Readonly<Record<string, Shape>>): Shape {
  // A decision has a few of the many fields that a record can have: looking its own up is quicker than looking for all.
  const shapes = new Map(Object.entries(fields));
  return (value) => {
    if (!isObject(value)) return "";
    for (const name in value) {
      const path = value[name] === undefined ? null : (shapes.get(name)?.(value[name]) ?? null);
      if (path !== null) return `.${name}${path}`;
    }
    return null;
  };
}

/** An object that has all of these fields. */
function complete(fields: Readonly<Record<string, Shape>>): Shape {
  const shapes = Object.entries(fields);
  return (value) => {
    if (!isObject(value)) return "";
    for (const [name, shape] of shapes) {
      const path = shape(value[name]);
      if (path !== null) return `.${name}${path}`;
    }
    return null;
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const denial = object({ attachment: optional(text), verdict: number, code: text, rule: text, reason: text });

const container = object({ id: text, name: optional(text), labels: optional(dictionary(text)) });

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
    definition: text,
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
    definition: text,
    container: optional(container),
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
      unused_reasons: list(text),
      helpers: list(text),
      calls: list(complete({ call: text })),
      writes: list(object({ map: text, key: text, value: optional(text) })),
      steps: number,
    }),
  ),
  configuration: text,
  digest: text,
  writer: text,
  engine: text,
  host: text,
  kernel: text,
  masked: list(text),
  duration_us: number,
  shadow: text,
  change: text,
  decided: object({ enforced_verdict: number, denied_by: optional(denial), audit_denials: list(denial) }),
  keyring: text,
  generation: number,
  error: optional(text),
  container: optional(container),
  program_releases: number,
});

/**
 * The path of the first field of a record whose value has another type than readers expect, such as
 * `current.container.labels.tier`; null if there is none.
 */
export function misshapenField(value: object): string | null {
  const { type, content } = value as { readonly type?: unknown; readonly content?: unknown };
  const shape = CONTENTS.get(type);
  const path = record(value) ?? (shape === undefined ? null : inContent(shape(content)));
  return path?.slice(1) ?? null;
}

function inContent(path: string | null): string | null {
  return path === null ? null : `.content${path}`;
}

const attachment = complete({
  name: text,
  policy: text,
  hooks: list(text),
  mode: text,
  scope: anyObject,
  limits: complete({ steps: number, memory: number, stack: number, timeout: number }),
  domain: text,
  on_fault: text,
  delegate: boolean,
  freeze: boolean,
});

const signer = complete({ subject: optional(text), key_id: text, serial: optional(text), issuer: optional(text) });

/** The contents of definitions. What `log.mask` left out is absent. */
const DEFINITIONS: Readonly<Record<DefinitionType, Shape>> = {
  configuration: complete({
    writer: text,
    mode: text,
    default: dictionary(text),
    attachments: list(attachment),
    policies: dictionary(
      complete({
        file: text,
        source: optional(text),
        files: optional(dictionary(text)),
        hooks: list(text),
        blind: list(boolean),
      }),
    ),
    keyrings: dictionary(complete({ generation: number, sha256: text })),
    maps: dictionary(
      complete({
        sha256: optional(text),
        writable: optional(complete({ entries: number, bytes: number })),
        schema: ifThere(anyObject),
      }),
    ),
  }),
  subject: complete({ kind: text, facts: anyObject }),
  caller: object({
    uid: number,
    euid: number,
    gid: number,
    exe: optional(text),
    cgroup: optional(text),
    capabilities: list(text),
    namespaces: dictionary(number),
    container: optional(
      object({
        id: text,
        name: optional(text),
        labels: optional(dictionary(text)),
        annotations: optional(dictionary(text)),
      }),
    ),
  }),
  verification: complete({
    keyring: text,
    generation: number,
    data: optional(text),
    signature: optional(text),
    signature_type: optional(text),
    verdict: number,
    reason: text,
    rule: optional(text),
    statement: optional(number),
    signers: list(signer),
    paths: ifThere(list(list(complete({ subject: optional(text), serial: optional(text), issuer: optional(text) })))),
  }),
};
const CONTENTS: ReadonlyMap<unknown, Shape> = new Map(Object.entries(DEFINITIONS));
