import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ReadRecord } from "../../src/log/read-record.js";
import { Report } from "../../src/workbench/report.js";
import { reportPage } from "../../src/workbench/report-page.js";
import { Browser, hasBrowser } from "../support/browser.js";
import { manyDecisions } from "../support/many-decisions.js";
import { amount } from "./nightly.js";

const DECISIONS = amount(50_000, 1_000_000);
/** What the table under a heading shows: its rows, each with its cells. */
const ROWS = (title: string) => `[...document.querySelectorAll("section")]
  .find((section) => section.querySelector("h2").textContent === ${JSON.stringify(title)})
  .querySelectorAll("tbody tr")`;
const CELLS = (title: string) => `[...${ROWS(title)}].map((row) => [...row.cells].map((cell) => cell.textContent))`;
/** Numbers of pixels in the left and the right half of the chart that have the colour of denials. */
const DENIED_PIXELS = `(() => {
  const canvas = document.querySelector("canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const found = [0, 0];
  for (let at = 0; at < data.length; at += 4)
    if (data[at] === 0xd4 && data[at + 1] === 0x35 && data[at + 2] === 0x1c)
      found[(at / 4) % canvas.width < canvas.width / 2 ? 0 : 1] += 1;
  return found;
})()`;
const BREAKS = "What would break if it were enforced today";

describe.skipIf(!hasBrowser)(
  `a report in Chromium${hasBrowser ? "" : ": chromium-headless-shell is not installed"}`,
  () => {
    let folder: string;
    let browser: Browser;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "report-"));
      browser = await Browser.open();
    });
    afterAll(async () => {
      await browser.close();
      rmSync(folder, { recursive: true });
    });

    async function open(records: Iterable<ReadRecord>): Promise<string> {
      const report = new Report();
      for (const record of records) report.add(record);
      const file = join(folder, "report.html");
      writeFileSync(file, reportPage(report.data(["decisions.jsonl"])));
      await browser.go(pathToFileURL(file).href);
      return file;
    }
    const cells = async (title: string) => (await browser.evaluate(CELLS(title))) as string[][];
    /** Clicks on what an expression finds. */
    const click = (expression: string) => browser.evaluate(`${expression}.click()`);
    const problems = () => browser.eventsOf("Runtime.exceptionThrown", "Log.entryAdded");

    it(`of ${DECISIONS.toLocaleString("en-US")} decisions has at most 5 MB, counts all of them, and loads nothing`, async () => {
      const file = await open(manyDecisions(DECISIONS));
      expect(statSync(file).size).toBeLessThanOrEqual(5_000_000);
      expect(await browser.evaluate("document.body.innerText")).toContain(
        `${DECISIONS.toLocaleString("en-US")} decisions, from 2026-11-01 00:00:00`,
      );
      const totals = (await browser.evaluate(
        `[...document.querySelectorAll("output")].map((one) => Number(one.value.replaceAll(",", "")))`,
      )) as number[];
      expect(totals.reduce((sum, count) => sum + count, 0)).toBe(DECISIONS);
      for (const half of (await browser.evaluate(DENIED_PIXELS)) as number[]) expect(half).toBeGreaterThan(100);
      expect(problems()).toEqual([]);
      const loaded = browser.eventsOf("Network.requestWillBeSent").map((event) => JSON.parse(event).params.request.url);
      expect(loaded).toEqual([pathToFileURL(file).href]);
    });

    it("sorts by a column, filters by text, and is narrowed down to a name", async () => {
      const head = `[...document.querySelectorAll("section")][0].querySelectorAll("thead button")`;
      const counts = async () => (await cells(BREAKS)).map(([count]) => Number(count?.replaceAll(",", "")));
      const first = await counts();
      expect(first).toEqual(first.toSorted((a, b) => b - a));
      await click(`${head}[0]`);
      expect(await counts()).toEqual((await counts()).toSorted((a, b) => a - b));
      await click(`${head}[2]`);
      const programs = (await cells(BREAKS)).map(([, , program]) => program);
      expect(programs).toEqual(programs.toSorted());
      await browser.evaluate(`(() => {
      const input = document.querySelector("input[type=search]");
      input.value = "PROG_17";
      input.dispatchEvent(new Event("input"));
    })()`);
      const filtered = await cells(BREAKS);
      expect(filtered.length).toBeGreaterThan(0);
      expect(filtered.filter((row) => !row.join("\n").includes("prog_17"))).toEqual([]);
      const containers = await cells("By container");
      expect(containers.length).toBeGreaterThan(1);
      await click(`${ROWS("By container")}[0].querySelector("button")`);
      expect(await cells("By container")).toEqual([containers[0]]);
      await click(`document.querySelector("#picked button")`);
      expect(await cells("By container")).toEqual(containers);
    });

    it("opens the explanation of a denial", async () => {
      await click(`${ROWS(BREAKS)}[0]`);
      const [, [text] = []] = await cells(BREAKS);
      expect(text).toMatch(/digest[0-9a-f]{64}/);
      expect(text).toMatch(/verify_signature platform PKCS7: -ENODATA/);
      expect(text).toMatch(/countersign explain 01a220c3-/);
      expect(text).toMatch(/countersign log --json --id 01a220c3-/);
      await click(`${ROWS(BREAKS)}[0]`);
      expect((await cells(BREAKS))[1]?.length).toBeGreaterThan(1);
    });

    it("has a bar for the first and for the last decision", async () => {
      const denied = { attachment: "p", verdict: -1, code: "DENIED_BY_POLICY", reason: "no" };
      const at = (second: number) =>
        ({
          ...{
            type: "decision",
            time: `2026-11-01T00:00:0${second}.000Z`,
            id: String(second),
            hook: "bpf",
            verdict: -1,
          },
          ...{ enforced_verdict: -1, denied_by: denied, subject: { name: "p" }, current: { comm: "tc" } },
        }) as unknown as ReadRecord;
      await open([at(0), at(5)]);
      const [first = 0, last = 0] = (await browser.evaluate(DENIED_PIXELS)) as number[];
      expect(first).toBeGreaterThan(100);
      expect(Math.abs(first - last)).toBeLessThan(first / 10);
    });

    it("shows HTML in names as text", async () => {
      const html = `<img src=x onerror="window.broken = 1"></script><script>window.broken = 1</script><!--`;
      const denial = { attachment: html, verdict: -1, code: "DENIED_BY_POLICY", reason: html };
      await open([
        {
          ...{
            type: "decision",
            time: "2026-11-01T00:00:00.000Z",
            id: html,
            hook: html,
            verdict: 0,
            enforced_verdict: -1,
          },
          ...{
            denied_by: denial,
            subject: { name: html, path: html },
            answers: [{ attachment: html, helpers: [html] }],
          },
          current: { comm: html, container: { id: html, name: html, labels: { [html]: html } } },
        } as unknown as ReadRecord,
      ]);
      await click(`${ROWS(BREAKS)}[0]`);
      const [row, details] = await cells(BREAKS);
      expect(row).toEqual(["1", html, html, html, html, html, html]);
      expect(details?.[0]).toContain(html);
      expect(await browser.evaluate(`[typeof window.broken, document.querySelectorAll("img").length]`)).toEqual([
        "undefined",
        0,
      ]);
      expect(problems()).toEqual([]);
    });

    it("of an empty log says so", async () => {
      await open([]);
      expect(await browser.evaluate("document.body.innerText")).toContain("The log has no decisions.");
      expect(problems()).toEqual([]);
    });
  },
);
