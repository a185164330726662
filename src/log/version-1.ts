import { RECORD_VERSION } from "./record.js";

type Fields = Readonly<Record<string, unknown>>;

/** A record of version 1, which has neither `version` nor `type`, as one of the present version. Its id stays. */
export function fromVersion1(record: object): object {
  const { event, probe, duration, ...rest } = record as Fields;
  const head = { version: RECORD_VERSION };
  if (event !== undefined) return { error: null, ...rest, ...head, type: event };
  if (rest.hook === undefined) return { ...rest, ...head };
  return {
    ...fromFirstRelease(rest),
    ...head,
    type: "decision",
    duration_us: duration,
    ...(probe === undefined ? {} : { loader_probe: probe }),
    ...(isFields(rest.grants) ? { grants: grantsOf(rest.grants) } : {}),
    ...(Array.isArray(rest.answers) ? { answers: rest.answers.filter(isFields).map(answerOf) } : {}),
  };
}

/** Gives a record of 0.1.0 the names that version 1 had after it; it had no word for the mode of a dry run. */
function fromFirstRelease({ refusal, would, ...rest }: Fields): Fields {
  if (refusal === undefined) return rest;
  return {
    ...rest,
    operation: null,
    enforced_verdict: rest.verdict,
    denied_by: isFields(refusal) ? denialOf(refusal) : null,
    audit_denials: isFields(would) ? [denialOf(would)] : [],
  };
}

function answerOf({ duration, fuel, ...rest }: Fields): Fields {
  return { ...rest, steps: rest.steps ?? fuel, code: codeOf(rest.code), duration_us: duration };
}

function denialOf({ by, ...rest }: Fields): Fields {
  return { ...rest, attachment: by, code: codeOf(rest.code) };
}

function grantsOf({ delegation, ...rest }: Fields): Fields {
  if (!isFields(delegation)) return rest;
  const { by, ...other } = delegation;
  return { ...rest, delegation: { ...other, attachment: by } };
}

/** 0.1.0 had REFUSED_BY_POLICY and others for DENIED_BY_POLICY. */
function codeOf(code: unknown): unknown {
  return typeof code === "string" ? code.replace(/^REFUSED_/, "DENIED_") : code;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
