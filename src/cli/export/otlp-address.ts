import { InvalidArgumentError } from "commander";
import { CountersignError } from "../../error.js";

/** The path of logs in OTLP/HTTP. */
const LOGS_PATH = "/v1/logs";

/**
 * The argument of `--export`, `otlp=URL`. An address without a path is that of a collector, and gets the path of logs;
 * any other is used as it is.
 */
export function otlpAddress(text: string): URL {
  const [, address] = /^otlp=(.+)$/.exec(text) ?? [];
  const url = address === undefined ? null : parsed(address);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw new InvalidArgumentError("Write it such as otlp=http://localhost:4318.");
  if (url.pathname === "/") url.pathname = LOGS_PATH;
  return url;
}

function parsed(address: string): URL | null {
  try {
    return new URL(address);
  } catch {
    return null;
  }
}

/**
 * The headers of OTEL_EXPORTER_OTLP_LOGS_HEADERS, or else of OTEL_EXPORTER_OTLP_HEADERS: `name=value`, separated by
 * commas, the values percent-encoded (OpenTelemetry's "OTLP Exporter Configuration"). Throws USAGE.
 */
export function otlpHeaders(environment: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  const name = environment[OF_LOGS] === undefined ? OF_ALL : OF_LOGS;
  const headers: Record<string, string> = {};
  for (const part of (environment[name] ?? "").split(",")) {
    if (part.trim() === "") continue;
    const [, key, value] = /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*=\s*(.*?)\s*$/.exec(part) ?? [];
    const decoded = value === undefined ? null : decodedValue(value);
    if (key === undefined || decoded === null)
      throw new CountersignError("USAGE", `${name} has a part that is no header`, {
        remedy: "write it such as `authorization=Bearer%20TOKEN`, with commas between headers",
      });
    headers[key.toLowerCase()] = decoded;
  }
  return headers;
}

/** How a request can be compressed (OpenTelemetry's "OTLP Exporter Configuration"). */
export const COMPRESSIONS = ["none", "gzip"] as const;
export type Compression = (typeof COMPRESSIONS)[number];

/**
 * The compression of OTEL_EXPORTER_OTLP_LOGS_COMPRESSION, or else of OTEL_EXPORTER_OTLP_COMPRESSION; `none` if both are
 * absent or empty. Throws USAGE.
 */
export function otlpCompression(environment: NodeJS.ProcessEnv): Compression {
  const name = environment[COMPRESSION_OF_LOGS] === undefined ? COMPRESSION_OF_ALL : COMPRESSION_OF_LOGS;
  const value = environment[name] || "none";
  const known = COMPRESSIONS.find((one) => one === value);
  if (known !== undefined) return known;
  throw new CountersignError("USAGE", `${name} is no compression: \`${value}\``, {
    remedy: `write one of ${COMPRESSIONS.join(", ")}`,
  });
}

const COMPRESSION_OF_LOGS = "OTEL_EXPORTER_OTLP_LOGS_COMPRESSION";
const COMPRESSION_OF_ALL = "OTEL_EXPORTER_OTLP_COMPRESSION";
const OF_LOGS = "OTEL_EXPORTER_OTLP_LOGS_HEADERS";
const OF_ALL = "OTEL_EXPORTER_OTLP_HEADERS";

/** Null if it is not percent-encoded, or no value of a header. */
function decodedValue(value: string): string | null {
  try {
    const decoded = decodeURIComponent(value);
    return /[\r\n\0]/.test(decoded) ? null : decoded;
  } catch {
    return null;
  }
}
