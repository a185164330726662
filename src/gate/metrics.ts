import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { CountersignError } from "../error.js";
import { BUCKETS, type Count, OUTCOMES, type Tally } from "./tally.js";

/** https://prometheus.io/docs/instrumenting/exposition_formats/ */
const TEXT = "text/plain; version=0.0.4; charset=utf-8";

/** What is measured. */
export interface Measured {
  readonly tally: Tally;
  readonly listeners: number;
  readonly suspects: number;
}

type Metric = readonly [name: string, type: "counter" | "gauge", help: string];

const DECISIONS: Metric = ["decisions_total", "counter", "Operations that the gate decided on, by enforced verdict."];
const EVENTS: readonly (readonly [...Metric, count: Count])[] = [
  ["faults_total", "counter", "Decisions in which a policy failed.", "faults"],
  ["stalls_total", "counter", "Tasks that kept the gate waiting and were killed.", "stalls"],
  ["suspicions_total", "counter", "Times that a container's tasks kept the gate waiting.", "suspicions"],
  ["threads_replaced_total", "counter", "Decision threads that were ended or taken off.", "replacements"],
  ["repeated_denials_total", "counter", "Denials by the gate that repeat one that was logged.", "repeats"],
  ["log_failures_total", "counter", "Decisions in audit that could not be logged and went on.", "logFailures"],
  ["log_torn_lines_total", "counter", "Lines of the log that were not whole and got an end.", "torn"],
  ["lent_total", "counter", "Decisions that lent a task capabilities, or in audit would have.", "lent"],
  ["frozen_total", "counter", "Decisions that had a program's maps frozen, or in audit would have.", "frozen"],
  ["keyring_failures_total", "counter", "Changed files of keyrings that could not be used.", "keyringFailures"],
];
const GAUGES: readonly (readonly [...Metric, gauge: "listeners" | "suspects"])[] = [
  ["listeners", "gauge", "Listeners that are heard.", "listeners"],
  ["suspects", "gauge", "Containers whose calls are not let keep the others waiting.", "suspects"],
];
const ANSWERS = ["answer_seconds", "histogram", "From a call's receipt to its answer."] as const;

function head([name, type, help]: readonly string[]): string {
  return `# HELP countersign_${name} ${help}\n# TYPE countersign_${name} ${type}`;
}

/** Metrics in Prometheus' text format; made when they are asked for, from what the decision thread counts. */
export function metricsOf(measured: Measured): string {
  const counts = measured.tally.read();
  const { buckets, sum } = measured.tally.times();
  const lines = [head(DECISIONS)];
  for (const name of OUTCOMES) lines.push(`countersign_decisions_total{outcome="${name}"} ${counts[name]}`);
  for (const [name, type, help, count] of EVENTS)
    lines.push(head([name, type, help]), `countersign_${name} ${counts[count]}`);
  for (const [name, type, help, gauge] of GAUGES)
    lines.push(head([name, type, help]), `countersign_${name} ${measured[gauge]}`);
  lines.push(head(ANSWERS));
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
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections(); // a client that keeps one open must not keep the agent
      }),
  };
}

function unserved(address: string, cause: Error): CountersignError {
  return new CountersignError("GATE_FAILED", `metrics cannot be served at \`${address}\`: ${cause.message}`, { cause });
}
