import { gzipSync } from "node:zlib";
import { CountersignError } from "../../error.js";
import type { ReadRecord } from "../../log/read-record.js";
import type { Compression } from "./otlp-address.js";
import { otlpRequest } from "./otlp-request.js";

/** What became of records: `stopped` means that they were not sent, and have to be sent again. */
export type Sent = "sent" | "stopped";

export interface ExportOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly compression: Compression;
  /** Milliseconds before the first retry. Each further one waits twice as long, up to `maxDelay`. */
  readonly firstDelay: number;
  readonly maxDelay: number;
  /** Milliseconds for one request. */
  readonly timeout: number;
  /** Waits so many milliseconds. Returns whether the export is to stop. */
  readonly wait: (milliseconds: number) => Promise<boolean>;
  /** Gets what a user should know while the export goes on: an outage, once, and records that are not taken. */
  readonly report: (problem: CountersignError) => void;
}

export const EXPORT_DELAYS = { firstDelay: 500, maxDelay: 30_000, timeout: 10_000 } as const;

/**
 * The statuses after which a client sends again (OTLP 1.x, "OTLP/HTTP response", "retryable response codes").
 */
const RETRYABLE: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const TOO_LARGE = 413;
/** The most milliseconds that a collector can ask to wait. */
const MAX_RETRY_AFTER = 300_000;
/** The most characters of a collector's words that are shown. */
const MAX_WORDS = 300;

/** Why a request has to be sent again. `after` is the time that the collector asked for, in milliseconds. */
interface Retry {
  readonly why: string;
  readonly after: number | null;
}

/** Sends records to a collector by OTLP/HTTP in JSON, again and again until the collector has taken them. */
export class OtlpExporter {
  /** Number of records that the collector took. */
  exported = 0;
  /** Number of records that the collector said it will never take. */
  rejected = 0;
  #isAway = false;

  constructor(
    private readonly url: URL,
    private readonly options: ExportOptions,
  ) {}

  /**
   * Returns once the collector has taken the records, or once the export is to stop. Throws EXPORT_FAILED if the
   * collector rejects the request as such: another one would be rejected too, and no record may be lost by that.
   */
  async send(records: readonly ReadRecord[]): Promise<Sent> {
    if (records.length === 0) return "sent";
    const text = JSON.stringify(otlpRequest(records, Date.now()));
    const body = this.options.compression === "gzip" ? gzipSync(text) : text;
    for (let delay = this.options.firstDelay; ; delay = Math.min(this.options.maxDelay, 2 * delay)) {
      const retry = await this.#post(body, records);
      if (retry === null) return "sent";
      if (retry === TOO_LARGE) return this.#sendParts(records);
      if (!this.#isAway) this.options.report(this.#failed(`${retry.why}; it is tried again`, OUTAGE));
      this.#isAway = true;
      // Jitter: exporters that failed in the same outage do not all send again at the same time
      const jitter = delay * (0.5 + Math.random() / 2);
      if (await this.options.wait(Math.max(jitter, retry.after ?? 0))) return "stopped";
    }
  }

  async #sendParts(records: readonly ReadRecord[]): Promise<Sent> {
    if (records.length === 1) {
      this.#reject(1, `record ${records[0]!.id ?? "without an id"} is too large for it (HTTP ${TOO_LARGE})`);
      return "sent";
    }
    const half = records.length >> 1;
    const first = await this.send(records.slice(0, half));
    return first === "stopped" ? first : this.send(records.slice(half));
  }

  /** Null if the collector took the request. */
  async #post(
    body: string | Uint8Array<ArrayBuffer>,
    { length }: readonly ReadRecord[],
  ): Promise<Retry | typeof TOO_LARGE | null> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(this.url, {
        method: "POST",
        headers: {
          ...this.options.headers,
          ...ENCODINGS[this.options.compression],
          "content-type": "application/json",
        },
        body,
        redirect: "manual",
        signal: AbortSignal.timeout(this.options.timeout),
      });
      text = await response.text();
    } catch (error) {
      return { why: unreachable(error), after: null };
    }
    const { status, ok } = response;
    if (ok) {
      this.#isAway = false;
      this.#take(text, length);
      return null;
    }
    if (status === TOO_LARGE) return TOO_LARGE;
    const words = text === "" ? "" : `: ${text.slice(0, MAX_WORDS)}`;
    if (!RETRYABLE.has(status)) throw this.#failed(`HTTP ${status}${words}`, REMEDIES.get(status) ?? REJECTED);
    return { why: `HTTP ${status}${words}`, after: retryAfter(response.headers.get("retry-after")) };
  }

  /** A partial success is final: OTLP forbids to send the request again. */
  #take(text: string, count: number): void {
    const { rejected, message } = partialSuccess(text);
    this.exported += count - Math.min(count, rejected);
    if (rejected > 0) this.#reject(Math.min(count, rejected), `it rejects ${rejected} of ${count} records: ${message}`);
  }

  #reject(count: number, why: string): void {
    this.rejected += count;
    this.options.report(this.#failed(why, NOT_TAKEN));
  }

  #failed(why: string, remedy: string): CountersignError {
    return new CountersignError("EXPORT_FAILED", `the collector does not take the records: ${why}`, {
      place: placeOf(this.url),
      remedy,
    });
  }
}

const ENCODINGS: Readonly<Record<Compression, Readonly<Record<string, string>>>> = {
  none: {},
  gzip: { "content-encoding": "gzip" },
};
const OUTAGE = "start the collector, or check its address; no record is lost, since the log has them";
const NOT_TAKEN = "look at the collector's own log; the decision log still has the records";
const REJECTED = "check that the address is that of OTLP/HTTP; the export goes on there when it is started again";
const UNAUTHORIZED = "give the collector's headers in OTEL_EXPORTER_OTLP_HEADERS, such as `authorization=Bearer%20…`";
const REMEDIES: ReadonlyMap<number, string> = new Map([
  [401, UNAUTHORIZED],
  [403, UNAUTHORIZED],
]);

/** The address without a user and a password. */
function placeOf({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}

function unreachable(error: unknown): string {
  const { name, message, cause } = error as Error;
  if (name === "TimeoutError") return "it does not answer in time";
  const { code, message: because } = (cause ?? {}) as NodeJS.ErrnoException;
  return code ?? because ?? message;
}

/** RFC 9110 10.2.3: seconds, or a date. Null if there is none. */
function retryAfter(value: string | null): number | null {
  if (value === null) return null;
  const milliseconds = /^\d+$/.test(value) ? 1000 * Number(value) : Date.parse(value) - Date.now();
  return Number.isNaN(milliseconds) ? null : Math.min(MAX_RETRY_AFTER, Math.max(0, milliseconds));
}

/** The ExportLogsPartialSuccess of a response. A response without one, or with any other body, took everything. */
function partialSuccess(text: string): { readonly rejected: number; readonly message: string } {
  try {
    const { partialSuccess: partial } = JSON.parse(text) as {
      readonly partialSuccess?: { readonly rejectedLogRecords?: unknown; readonly errorMessage?: unknown };
    };
    const rejected = Number(partial?.rejectedLogRecords ?? 0);
    const message = String(partial?.errorMessage ?? "").slice(0, MAX_WORDS);
    return { rejected: Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0, message };
  } catch {
    return { rejected: 0, message: "" };
  }
}
