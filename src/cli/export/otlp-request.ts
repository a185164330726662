import { hostname } from "node:os";
import { outcomeOf } from "../../log/outcome.js";
import type { ReadRecord } from "../../log/read-record.js";
import { VERSION } from "../../version.js";

/**
 * An ExportLogsServiceRequest in OTLP's JSON encoding (opentelemetry-proto, logs/v1/logs.proto): 64-bit integers are
 * decimal strings.
 */
export interface OtlpRequest {
  readonly resourceLogs: readonly {
    readonly resource: { readonly attributes: readonly OtlpAttribute[] };
    readonly scopeLogs: readonly {
      readonly scope: { readonly name: string; readonly version: string };
      readonly logRecords: readonly OtlpLogRecord[];
    }[];
  }[];
}

export interface OtlpLogRecord {
  /** Nanoseconds since the epoch; absent if the record has no valid time. */
  readonly timeUnixNano?: string;
  readonly observedTimeUnixNano: string;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly eventName: string;
  readonly body: OtlpValue;
  readonly attributes: readonly OtlpAttribute[];
}

type OtlpValue = { readonly stringValue: string } | { readonly intValue: string };

interface OtlpAttribute {
  readonly key: string;
  readonly value: OtlpValue;
}

/** SEVERITY_NUMBER_INFO, _WARN and _ERROR of logs.proto. */
const SEVERITIES: ReadonlyMap<string, number> = new Map([
  ["info", 9],
  ["warn", 13],
  ["error", 17],
]);

/** Attributes of a record: the names of OpenTelemetry's semantic conventions where it has one. */
const ATTRIBUTES: Readonly<Record<string, (record: ReadRecord) => unknown>> = {
  "countersign.id": ({ id }) => id,
  "countersign.outcome": (record) => (record.type === "decision" ? outcomeOf(record) : undefined),
  "countersign.hook": ({ hook }) => hook,
  "countersign.mode": ({ mode }) => mode,
  "countersign.origin": ({ origin }) => origin,
  "countersign.verdict": ({ verdict }) => verdict,
  "countersign.enforced_verdict": ({ enforced_verdict }) => enforced_verdict,
  "countersign.attachment": ({ denied_by }) => denied_by?.attachment,
  "countersign.code": ({ denied_by }) => denied_by?.code,
  "countersign.reason": ({ denied_by }) => denied_by?.reason,
  "countersign.subject.kind": ({ subject }) => subject?.kind,
  "countersign.subject.name": ({ subject }) => subject?.name,
  "countersign.subject.digest": ({ subject }) => subject?.digest,
  "countersign.keyring": ({ keyring }) => keyring,
  "process.pid": ({ current }) => current?.pid,
  "process.command": ({ current }) => current?.comm,
  "process.executable.path": ({ current }) => current?.exe,
  "user.id": ({ current }) => (current?.uid === undefined ? undefined : String(current.uid)),
  "container.id": ({ current }) => current?.container?.id,
  "container.name": ({ current }) => current?.container?.name,
};

/**
 * The request that exports records. The body of each log record is the record as `countersign log --json` writes it.
 */
export function otlpRequest(records: readonly ReadRecord[], now: number): OtlpRequest {
  const resource = { attributes: attributesOf({ "service.name": "countersign", "host.name": hostname() }) };
  const scope = { name: "countersign", version: VERSION };
  return {
    resourceLogs: [{ resource, scopeLogs: [{ scope, logRecords: records.map((one) => logRecord(one, now)) }] }],
  };
}

function logRecord(record: ReadRecord, now: number): OtlpLogRecord {
  const { level = "info", type = "record", time = "" } = record;
  const at = Date.parse(time);
  const values = Object.entries(ATTRIBUTES).map(([key, find]) => [key, find(record)] as const);
  return {
    ...(Number.isFinite(at) && at >= 0 ? { timeUnixNano: nanoseconds(at) } : {}),
    observedTimeUnixNano: nanoseconds(now),
    severityNumber: SEVERITIES.get(level) ?? 0,
    severityText: level,
    eventName: `countersign.${type}`,
    body: { stringValue: JSON.stringify(record) },
    attributes: attributesOf(Object.fromEntries(values)),
  };
}

/** Values that are no string and no integer are left out: a record can have any content, and the body has it. */
function attributesOf(values: Readonly<Record<string, unknown>>): readonly OtlpAttribute[] {
  return Object.entries(values).flatMap(([key, value]): readonly OtlpAttribute[] => {
    if (typeof value === "string") return [{ key, value: { stringValue: wellFormed(value) } }];
    return Number.isSafeInteger(value) ? [{ key, value: { intValue: String(value) } }] : [];
  });
}

/** Protobuf strings are UTF-8, so a collector rejects all of a request that has half of a surrogate pair. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

function nanoseconds(milliseconds: number): string {
  return `${Math.trunc(milliseconds)}000000`;
}
