import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { CountersignError } from "../../error.js";
import { VERSION } from "../../version.js";
import { BUCKETS, COUNT_NAMES, type Count, type Outcome, type Tally } from "../decisions/tally.js";

/** Content type of the text format: https://prometheus.io/docs/instrumenting/exposition_formats/ */
const TEXT = "text/plain; version=0.0.4; charset=utf-8";

/** The sources of the metrics. */
export interface Measured {
  readonly tally: Tally;
  readonly listeners: number;
  readonly slowContainers: number;
  readonly outdatedListeners: number;
  readonly rejectedListeners: number;
  readonly rejectedCalls: number;
  readonly resetMaps: number;
}

/** Names follow https://prometheus.io/docs/practices/naming/. `help` is one line without backslashes. */
interface Metric {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly samples: (measured: Measured) => readonly Sample[];
}

/** `suffix` is appended to the metric's name; histograms need it. */
interface Sample {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly suffix?: string;
}

/** Values of the label `outcome`. */
const OUTCOME_LABELS: Readonly<Record<Outcome, string>> = { allowed: "allowed", denied: "denied", probes: "probe" };

const METRICS: readonly Metric[] = [
  {
    name: "countersign_operations_total",
    type: "counter",
    help: "Operations that the gate decided on, by the outcome of their enforced verdicts.",
    samples: ({ tally }) => {
      const counts = tally.read();
      return Object.entries(OUTCOME_LABELS).map(([count, outcome]) => {
        return { value: counts[count as Outcome], labels: { outcome } };
      });
    },
  },
  {
    name: "countersign_call_duration_seconds",
    type: "histogram",
    help: "Time from the receipt of a system call to the reply to it.",
    samples: ({ tally }) => histogram(tally.times()),
  },
  counter("faults", "Decisions in which a policy failed."),
  counter("repeats", "Denials by the gate that repeat a logged one and were not logged again."),
  counter("granted", "Decisions that granted a task capabilities, or would have in a dry run."),
  counter("frozen", "Decisions that had a program's maps frozen, or would have in a dry run."),
  counter("shadowDecisions", "Decisions of the shadow configuration."),
  counter("shadowDifferences", "Decisions of the shadow configuration that differ from those that had an effect."),
  counter("shadowMissed", "Decisions that the shadow configuration did not make, or that could not be logged."),
  counter("throttled", "Loads that waited because more programs than gate.program_releases were released in a second."),
  counter("slowTasks", "Times that a container's tasks kept the gate waiting."),
  counter("stalls", "Tasks that were killed because they kept the gate waiting past gate.stall."),
  counter("replacements", "Decision threads that were terminated or replaced."),
  counter("logFailures", "Operations of a dry run that went on although their decision was not logged."),
  counter("torn", "Incomplete lines of the decision log that were ended with a line feed."),
  counter("keyringFailures", "Changed files of keyrings that could not be used."),
  gauge("countersign_listeners", "Seccomp listeners that the gate serves.", ({ listeners }) => listeners),
  gauge(
    "countersign_isolated_containers",
    "Containers whose calls are served apart because they kept the gate waiting.",
    ({ slowContainers }) => slowContainers,
  ),
  gauge(
    "countersign_outdated_listeners",
    "Served listeners of containers whose seccomp profile is that of an earlier version.",
    ({ outdatedListeners }) => outdatedListeners,
  ),
  gauge(
    "countersign_rejected_listeners",
    "Listeners of rejected containers, which are held open so that all their calls are denied.",
    ({ rejectedListeners }) => rejectedListeners,
  ),
  {
    name: "countersign_rejected_calls_total",
    type: "counter",
    help: "Calls of rejected containers, all of which were denied.",
    samples: ({ rejectedCalls }) => [{ value: rejectedCalls }],
  },
  gauge(
    "countersign_reset_maps",
    "Maps that began with their initial entries at this start because what they kept breaks their schema.",
    ({ resetMaps }) => resetMaps,
  ),
  {
    name: "countersign_build_info",
    type: "gauge",
    help: "Version of Countersign and of node; the value is 1.",
    samples: () => [{ value: 1, labels: { version: VERSION, node: process.versions.node } }],
  },
  {
    name: "process_cpu_seconds_total",
    type: "counter",
    help: "Processor time of the gate in user and system mode.",
    samples: () => [{ value: cpuSeconds() }],
  },
  gauge("process_resident_memory_bytes", "Resident memory of the gate.", () => process.memoryUsage.rss()),
  gauge(
    "process_start_time_seconds",
    "Start of the gate, in seconds since the epoch.",
    () => Math.round(performance.timeOrigin) / 1000,
  ),
];

function counter(count: Count, help: string): Metric {
  const samples = ({ tally }: Measured) => [{ value: tally.read()[count] }];
  return { name: `countersign_${COUNT_NAMES[count]}_total`, type: "counter", help, samples };
}

function gauge(name: string, help: string, value: (measured: Measured) => number): Metric {
  return { name, type: "gauge", help, samples: (measured) => [{ value: value(measured) }] };
}

/** The samples of a histogram, whose buckets are cumulative. `sum` is in microseconds. */
function histogram({ buckets, sum }: ReturnType<Tally["times"]>): Sample[] {
  let total = 0;
  const samples: Sample[] = buckets.map((count, index) => {
    total += count;
    const bound = BUCKETS[index];
    return { suffix: "_bucket", labels: { le: bound === undefined ? "+Inf" : String(bound / 1e6) }, value: total };
  });
  return [...samples, { suffix: "_sum", value: sum / 1e6 }, { suffix: "_count", value: total }];
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** The current metrics in the text format of Prometheus. */
export function metricsOf(measured: Measured): string {
  const lines = METRICS.flatMap(({ name, type, help, samples }) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples(measured).map(({ suffix = "", labels, value }) => `${name}${suffix}${labelsText(labels)} ${value}`),
  ]);
  return `${lines.join("\n")}\n`;
}

/** Label values are names and numbers of this project, which need no escaping. */
function labelsText(labels: Sample["labels"] = {}): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

/** Serves metrics at http://HOST:PORT/metrics. `address` is `HOST:PORT`. Throws USAGE, GATE_FAILED. */
export async function serveMetrics(
  measured: Measured,
  address: string,
): Promise<{ url: string; close(): Promise<void> }> {
  const [, host = "", port = ""] = /^(.+):(\d{1,5})$/.exec(address) ?? [];
  if (host === "")
    throw new CountersignError("USAGE", `\`${address}\` is not an address`, { remedy: "write it as HOST:PORT" });
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
        server.closeAllConnections(); // an open connection must not keep the agent running
      }),
  };
}

function unserved(address: string, cause: Error): CountersignError {
  const remedy = "give another address with --metrics, or end the process that uses this one";
  return new CountersignError("GATE_FAILED", `metrics cannot be served at \`${address}\`: ${cause.message}`, {
    remedy,
    cause,
  });
}
