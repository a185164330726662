import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { metricsOf, serveMetrics } from "../../../../src/gate/agent/metrics.js";
import { BUCKETS, COUNTS, type Count, Tally } from "../../../../src/gate/decisions/tally.js";
import { VERSION } from "../../../../src/version.js";
import { rowsOf } from "../../../support/markdown.js";

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** Reads the text format strictly: HELP, TYPE and the samples of each metric, in this order and nothing else. */
function familiesOf(text: string): Family[] {
  expect(text.endsWith("\n")).toBe(true);
  const families: { name: string; type: string; help: string; samples: Sample[] }[] = [];
  let help: readonly string[] | null = null;
  for (const line of text.slice(0, -1).split("\n")) {
    const [, comment, about = "", rest = ""] = /^# (HELP|TYPE) ([a-z_]+) ([^\\]+)$/.exec(line) ?? [];
    if (comment === "HELP") help = [about, rest];
    else if (comment === "TYPE") {
      expect(help?.[0]).toBe(about);
      families.push({ name: about, type: rest, help: help?.[1] ?? "", samples: [] });
      help = null;
    } else {
      expect(help).toBeNull();
      const [, name = "", pairs = "", value = ""] =
        /^([a-z_]+)(?:\{((?:[a-z]+="[^"\\]*",?)+)\})? ([0-9.e+-]+)$/.exec(line) ?? [];
      expect(Number.isFinite(Number(value)) && value !== "", line).toBe(true);
      const labels = Object.fromEntries([...pairs.matchAll(/([a-z]+)="([^"]*)"/g)].map(([, key, text]) => [key, text]));
      families.at(-1)!.samples.push({ name, labels, value: Number(value) });
    }
  }
  return families;
}

const GAUGES = {
  listeners: 3,
  slowContainers: 0,
  outdatedListeners: 2,
  rejectedListeners: 4,
  rejectedCalls: 5,
  resetMaps: 6,
};
const familiesFor = (tally: Tally) => familiesOf(metricsOf({ tally, ...GAUGES, slowContainers: 1 }));

/** The values of all samples, by name and labels. */
function valuesFor(tally: Tally): Readonly<Record<string, number>> {
  const named = ({ name, labels }: Sample) => [name, ...Object.values(labels)].join(" ");
  return Object.fromEntries(familiesFor(tally).flatMap(({ samples }) => samples.map((one) => [named(one), one.value])));
}

const COUNTERS: Readonly<Record<Count, string>> = {
  allowed: "countersign_operations_total allowed",
  probes: "countersign_operations_total probe",
  denied: "countersign_operations_total denied",
  faults: "countersign_policy_faults_total",
  stalls: "countersign_tasks_killed_total",
  slowTasks: "countersign_slow_task_events_total",
  throttled: "countersign_throttled_loads_total",
  replacements: "countersign_worker_replacements_total",
  keyringFailures: "countersign_keyring_reload_failures_total",
  repeats: "countersign_repeated_denials_total",
  logFailures: "countersign_log_failures_total",
  torn: "countersign_log_torn_lines_total",
  granted: "countersign_capability_grants_total",
  frozen: "countersign_map_freezes_total",
  shadowDecisions: "countersign_shadow_decisions_total",
  shadowDifferences: "countersign_shadow_differences_total",
  shadowMissed: "countersign_shadow_missed_total",
};

describe("metrics", () => {
  it.each(COUNTS)("count %s, and nothing else with it", (count) => {
    const tally = new Tally();
    tally.add(count);
    tally.add(count);
    const values = valuesFor(tally);
    for (const [other, name] of Object.entries(COUNTERS)) expect(values[name], name).toBe(other === count ? 2 : 0);
  });

  it("have a cumulative histogram in seconds", () => {
    const tally = new Tally();
    const times = [5, 30, 30, 400_000];
    for (const time of times) tally.answered(time);
    const name = "countersign_call_duration_seconds";
    const { [name]: _, ...values } = valuesFor(tally);
    for (const bound of BUCKETS)
      expect(values[`${name}_bucket ${bound / 1e6}`]).toBe(times.filter((time) => time <= bound).length);
    expect([values[`${name}_bucket +Inf`], values[`${name}_count`], values[`${name}_sum`]]).toEqual([4, 4, 0.400065]);
  });

  it("have gauges of the gate and of its process", () => {
    const values = valuesFor(new Tally());
    expect(values).toMatchObject({
      countersign_reset_maps: 6,
      countersign_listeners: 3,
      countersign_isolated_containers: 1,
      [`countersign_build_info ${VERSION} ${process.versions.node}`]: 1,
    });
    expect(values.process_resident_memory_bytes).toBeGreaterThan(2 ** 20);
    expect(values.process_cpu_seconds_total).toBeGreaterThan(0);
    expect(values.process_start_time_seconds).toBeGreaterThan(1.6e9);
  });

  it("follow Prometheus' conventions", () => {
    const families = familiesFor(new Tally());
    expect(new Set(families.map(({ name }) => name)).size).toBe(families.length);
    for (const { name, type, help, samples } of families) {
      expect(name).toMatch(/^(countersign|process)(_[a-z]+)+$/);
      expect(help).toMatch(/^[A-Z].*\.$/);
      expect([name, type === "counter"]).toEqual([name, name.endsWith("_total")]);
      if (type === "histogram") expect(name).toMatch(/_seconds$/);
      expect(samples.length, name).toBeGreaterThan(0);
      const suffixes = type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
      for (const sample of samples) expect(suffixes.map((suffix) => name + suffix)).toContain(sample.name);
    }
  });

  it("are all in the guide, with their types and labels", () => {
    const guide = readFileSync(new URL("../../../../docs/agent.md", import.meta.url), "utf8");
    const section = guide.slice(guide.indexOf("## Metrics"));
    const documented = rowsOf(section.slice(0, section.indexOf("\n## ", 1) >>> 0)).map(([name, type]) => [name, type]);
    const own = familiesFor(new Tally()).map(({ name, type, samples }) => {
      const labels = type === "histogram" ? [] : Object.keys(samples[0]!.labels);
      return [`\`${name}${labels.length === 0 ? "" : `{${labels.join(",")}}`}\``, type];
    });
    expect(documented.sort()).toEqual(own.sort());
  });
});

const MEASURED = { tally: new Tally(), ...GAUGES };

describe("the server of metrics", () => {
  it("answers at /metrics alone, until it is closed", async () => {
    const { url, close } = await serveMetrics(MEASURED, "127.0.0.1:0");
    const answer = await fetch(url);
    expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(await answer.text()).toContain("countersign_listeners 3\n");
    expect((await fetch(new URL("/", url))).status).toBe(404);
    expect((await fetch(url, { method: "POST" })).status).toBe(404);
    await close();
    await expect(fetch(url)).rejects.toThrow();
  });

  it("rejects what is no address, and one that is in use", async () => {
    for (const address of ["", "9090", ":9090", "localhost", "localhost:x"])
      await expect(serveMetrics(MEASURED, address)).rejects.toMatchObject({ code: "USAGE" });
    const other = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void other.close());
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as { port: number };
    await expect(serveMetrics(MEASURED, `127.0.0.1:${port}`)).rejects.toMatchObject({
      code: "GATE_FAILED",
      message: expect.stringContaining("EADDRINUSE"),
    });
  });
});
