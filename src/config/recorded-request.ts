import * as z from "zod";
import { HOOK_NAMES, type HookName, hookRow, SUBJECT_KINDS, type SubjectKind } from "../hooks/catalogue.js";
import type { Container, Current } from "../policy/model/current.js";
import { CONTAINER_FIELDS, CURRENT_FIELDS } from "../policy/model/current-fields.js";
import { MAPS, type MapContents, TIME } from "./cases.js";
import { hexOf, recordedFacts } from "./described-facts.js";
import type { Document } from "./document.js";
import { validated } from "./issue.js";
import { SUBJECT_FIELDS } from "./subject-fields.js";

const KINDS = Object.keys(SUBJECT_KINDS) as [SubjectKind];

/** The facts of each kind of subject, as a log records them. */
const FACTS: ReadonlyMap<SubjectKind, z.ZodType> = new Map(
  KINDS.map((kind) => [kind, recordedFacts(SUBJECT_FIELDS[kind])]),
);

/** The digest of a definition in a log of level `inputs`. */
const DEFINITION = hexOf(16).optional();

/** Without annotations if the log does not have them: no policy had read them. */
const CONTAINER = recordedFacts(CONTAINER_FIELDS).extend({
  annotations: z.record(z.string(), z.string()).nullable(),
});

const OUTLINE = z.strictObject({
  hook: z.enum(HOOK_NAMES as [HookName]),
  subject: z.strictObject({
    kind: z.enum(KINDS),
    definition: DEFINITION,
    facts: z.looseObject({}),
  }),
  current: recordedFacts(CURRENT_FIELDS).extend({ container: CONTAINER.nullable() }),
  time: TIME,
  maps: MAPS,
  bytes: z.record(hexOf(32), z.base64({ error: "is not base64; write it with padding" })).default({}),
});

/** A request with all facts of a record. */
export const RECORDED_REQUEST = OUTLINE.extend({
  subject: z.discriminatedUnion(
    "kind",
    KINDS.map((kind) =>
      z.strictObject({ kind: z.literal(kind), definition: DEFINITION, facts: FACTS.get(kind)! }),
    ) as unknown as [typeof OUTLINE.shape.subject],
  ),
});

export interface RecordedRequest {
  readonly form: "recorded";
  readonly hook: HookName;
  readonly subject: {
    readonly kind: SubjectKind;
    /** The digest of `kind` and `facts` as JSON text; undefined if the request does not have it. */
    readonly definition: string | undefined;
    readonly facts: Readonly<Record<string, unknown>>;
  };
  /** `annotations` are null if they are not known. */
  readonly current: Omit<Current, "container"> & {
    readonly container: (Omit<Container, "annotations"> & { annotations: Container["annotations"] | null }) | null;
  };
  /** Milliseconds since the epoch; undefined for the time of the run. */
  readonly time: number | undefined;
  readonly maps: MapContents;
  /** Base64, by the SHA-256 of the bytes. */
  readonly bytes: Readonly<Record<string, string>>;
  /** Throws CONFIG_INVALID unless the subject has exactly the facts of its kind. A caller that knows them need not. */
  requireFacts(): void;
  /** Makes an error about a value of the request. */
  readonly error: Document["error"];
}

/** Reads the value of a request of the recorded form. Throws CONFIG_INVALID, with the place in `document`. */
export function recordedRequest(value: unknown, document: () => Document): RecordedRequest {
  const result = OUTLINE.safeParse(value);
  const { hook, time, maps, bytes } = result.success ? result.data : validated(document(), OUTLINE);
  // As they were written: zod leaves out keys `__proto__`
  const { subject, current } = value as Pick<RecordedRequest, "subject" | "current">;
  const error: Document["error"] = (...told) => document().error(...told);
  if (hookRow(hook).subject !== subject.kind)
    throw error(["subject", "kind"], `${hook} is about a ${hookRow(hook).subject}, not about a ${subject.kind}`);
  const requireFacts = () => {
    if (!FACTS.get(subject.kind)!.safeParse(subject.facts).success) validated(document(), RECORDED_REQUEST);
  };
  return { form: "recorded", hook, subject, current, time, maps: maps as MapContents, bytes, requireFacts, error };
}

/** The paths of what a value lacks to be a request of the recorded form, such as `subject.facts.tag`; empty if none. */
export function lacksOfRequest(value: unknown): readonly string[] {
  const { error } = RECORDED_REQUEST.safeParse(value);
  return error === undefined ? [] : error.issues.map(({ path }) => path.join("."));
}
