import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { OtlpExporter } from "../../../../src/cli/export/otlp-exporter.js";
import type { CountersignError } from "../../../../src/error.js";
import { Collector, recordsOf } from "../../../support/collector.js";

const RECORDS = [1, 2, 3, 4].map((number) => ({ type: "decision", id: `id-${number}` }));
const IDS = RECORDS.map(({ id }) => id);

let collector: Collector;
let waits: number[];
let problems: CountersignError[];
beforeEach(async () => {
  collector = await Collector.open();
  [waits, problems] = [[], []];
});
afterEach(() => collector.close());

function exporter(more: object = {}, url = collector.url): OtlpExporter {
  return new OtlpExporter(url, {
    headers: { authorization: "Bearer x" },
    compression: "none",
    firstDelay: 100,
    maxDelay: 1000,
    timeout: 60_000,
    wait: async (milliseconds) => {
      waits.push(milliseconds);
      return false;
    },
    report: (problem) => problems.push(problem),
    ...more,
  });
}

describe("an exporter", () => {
  it("posts records as JSON with the headers", async () => {
    const its = exporter();
    expect(await its.send(RECORDS)).toBe("sent");
    expect(collector.received).toHaveLength(1);
    const [{ path, headers }] = collector.received as never as [(typeof collector.received)[number]];
    expect(path).toBe("POST /v1/logs");
    expect(headers).toMatchObject({ "content-type": "application/json", authorization: "Bearer x" });
    expect([collector.ids, its.exported, its.rejected, problems]).toEqual([IDS, 4, 0, []]);
  });

  it("compresses requests with gzip if it is to, also those that are sent again or in parts", async () => {
    collector.answers = [{ status: 503 }, { status: 413 }];
    expect(await exporter({ compression: "gzip" }).send(RECORDS)).toBe("sent");
    expect(collector.received.map(({ headers }) => headers["content-encoding"])).toEqual(Array(4).fill("gzip"));
    expect(collector.received[0]?.headers["content-type"]).toBe("application/json");
    expect(collector.ids).toEqual(IDS);
  });

  it("sends nothing if there is nothing", async () => {
    expect(await exporter().send([])).toBe("sent");
    expect(collector.received).toEqual([]);
  });

  it.each([429, 502, 503, 504])("sends again after %i, waits longer each time, and reports it once", async (status) => {
    collector.answers = Array.from({ length: 6 }, () => ({ status }));
    const its = exporter();
    expect(await its.send(RECORDS)).toBe("sent");
    expect([collector.received.length, collector.ids, its.exported]).toEqual([7, IDS, 4]);
    for (const [index, most] of [100, 200, 400, 800, 1000, 1000].entries()) {
      expect(waits[index]).toBeLessThanOrEqual(most);
      expect(waits[index]).toBeGreaterThanOrEqual(most / 2);
    }
    expect(problems.map(({ code }) => code)).toEqual(["EXPORT_FAILED"]);
    expect(String(problems[0])).toContain(`HTTP ${status}`);
  });

  it("sends again after a connection that breaks, and to a collector that comes later", async () => {
    collector.answers = [{ status: 0, isBroken: true }];
    expect(await exporter().send(RECORDS)).toBe("sent");
    expect(collector.ids).toEqual(IDS);
    const { port, url } = collector;
    await collector.close();
    const its = exporter(
      {
        wait: async () => {
          collector = await Collector.open(port);
          return false;
        },
      },
      url,
    );
    expect(await its.send(RECORDS)).toBe("sent");
    expect(collector.ids).toEqual(IDS);
    expect(problems.map((problem) => /ECONN|socket|UND_ERR/.test(String(problem)))).toEqual([true, true]);
  });

  it("reports each outage", async () => {
    const its = exporter();
    for (let outage = 0; outage < 2; outage++) {
      collector.answers = [{ status: 503 }, { status: 503 }];
      await its.send(RECORDS);
    }
    expect(problems).toHaveLength(2);
  });

  it.each([
    ["seconds", () => "7", 7000],
    ["a date", () => new Date(Date.now() + 60_000).toUTCString(), 50_000],
    ["more than it ever waits", () => "86400", 300_000],
  ])("waits as long as the collector asks: %s", async (_, text, least) => {
    collector.answers = [{ status: 503, headers: { "retry-after": text() } }];
    await exporter().send(RECORDS);
    expect(waits[0]).toBeGreaterThanOrEqual(least);
    expect(waits[0]).toBeLessThanOrEqual(300_000);
  });

  it("stops while the collector is away, and has then sent nothing", async () => {
    collector.answers = [{ status: 503 }];
    const its = exporter({ wait: async () => true });
    expect([await its.send(RECORDS), its.exported, collector.ids]).toEqual(["stopped", 0, []]);
  });

  it.each([400, 401, 403, 404, 405, 500, 301])("ends with an error after %i", async (status) => {
    collector.answers = [{ status, body: "no\u001b[31m", headers: { location: collector.url.href } }];
    const its = exporter();
    await expect(its.send(RECORDS)).rejects.toMatchObject({ code: "EXPORT_FAILED" });
    expect([collector.received.length, its.exported, waits]).toEqual([1, 0, []]);
  });

  it("counts the records of a partial success as rejected, and does not send them again", async () => {
    const partialSuccess = { rejectedLogRecords: "3", errorMessage: "too old" };
    collector.answers = [{ status: 200, body: JSON.stringify({ partialSuccess }) }];
    const its = exporter();
    expect(await its.send(RECORDS)).toBe("sent");
    expect([its.exported, its.rejected, collector.received.length]).toEqual([1, 3, 1]);
    expect(String(problems[0])).toContain("it rejects 3 of 4 records: too old");
  });

  it.each(["", "null", "[]", "{", '{"partialSuccess":{}}', '{"partialSuccess":{"rejectedLogRecords":"-1"}}'])(
    "takes the answer %j as a success",
    async (body) => {
      collector.answers = [{ status: 200, body }];
      const its = exporter();
      expect([await its.send(RECORDS), its.exported, its.rejected]).toEqual(["sent", 4, 0]);
    },
  );

  it("divides a request that is too large, and rejects a record that is too large alone", async () => {
    const sizes: number[] = [];
    collector.answers = [413, 413, 200, 413, 200].map((status) => ({ status }));
    const its = exporter();
    expect(await its.send(RECORDS)).toBe("sent");
    for (const { request } of collector.received) sizes.push(recordsOf(request).length);
    expect(sizes).toEqual([4, 2, 1, 1, 2]);
    expect([its.exported, its.rejected, collector.ids]).toEqual([3, 1, ["id-1", "id-3", "id-4"]]);
    expect(String(problems[0])).toContain("record id-2 is too large");
  });

  it("shows no password of the address", async () => {
    collector.answers = [{ status: 404 }];
    const url = new URL(collector.url);
    const its = exporter({}, url);
    await expect(its.send(RECORDS)).rejects.toMatchObject({ place: `http://127.0.0.1:${collector.port}/v1/logs` });
  });
});
