import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { CountersignError } from "../error.js";
import { BUCKETS, COUNTS, type Tally } from "./tally.js";

/** https://prometheus.io/docs/instrumenting/exposition_formats/ */
const TEXT = "text/plain; version=0.0.4; charset=utf-8";

/** What is measured. */
export interface Measured {
  readonly tally: Tally;
  readonly listeners: number;
}

/** Metrics in Prometheus' text format; made when they are asked for, from what the decision thread counts. */
export function metricsOf({ tally, listeners }: Measured): string {
  const counts = tally.read();
  const { buckets, sum } = tally.times();
  const lines = [
    "# HELP countersign_decisions_total What the gate decided.",
    "# TYPE countersign_decisions_total counter",
  ];
  for (const name of COUNTS) lines.push(`countersign_decisions_total{outcome="${name}"} ${counts[name]}`);
  lines.push("# HELP countersign_listeners Listeners that are heard.", "# TYPE countersign_listeners gauge");
  lines.push(`countersign_listeners ${listeners}`);
  lines.push("# HELP countersign_answer_seconds From a call's receipt to its answer.");
  lines.push("# TYPE countersign_answer_seconds histogram");
  let total = 0;
  for (const [index, count] of buckets.entries()) {
    total += count;
    const bound = BUCKETS[index];
    lines.push(`countersign_answer_seconds_bucket{le="${bound === undefined ? "+Inf" : bound / 1e6}"} ${total}`);
  }
  lines.push(`countersign_answer_seconds_sum ${sum / 1e6}`, `countersign_answer_seconds_count ${total}`);
  return `${lines.join("\n")}\n`;
}

/** Serves metrics at `host:port`, at /metrics. Throws USAGE, GATE_FAILED. */
export async function serveMetrics(
  measured: Measured,
  address: string,
): Promise<{ url: string; close(): Promise<void> }> {
  const [, host = "", port = ""] = /^(.+):(\d{1,5})$/.exec(address) ?? [];
  if (host === "")
    throw new CountersignError("USAGE", `\`${address}\` is no address`, { remedy: "write it as HOST:PORT" });
  const server = createServer((request, response) => {
    if (request.method !== "GET" || request.url !== "/metrics") {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": TEXT }).end(metricsOf(measured));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => reject(unserved(address, cause)));
    server.listen(Number(port), host.replace(/^\[|\]$/g, ""), resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${bound}/metrics`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function unserved(address: string, cause: Error): CountersignError {
  return new CountersignError("GATE_FAILED", `metrics cannot be served at \`${address}\`: ${cause.message}`, { cause });
}
