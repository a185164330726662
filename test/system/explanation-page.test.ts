import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { explanationPage } from "../../src/workbench/explanation-page.js";
import { Browser, hasBrowser } from "../support/browser.js";
import { explainedDenial } from "../support/denials.js";

const HOSTILE = `<img src=x onerror="document.title='run'"><script>document.title='run'</script>\u001b[2J`;
const POLICY = `import { deny } from "countersign";
export function blob_verify(blob, current) {
  return current.comm === "<b>known</b>" ? 0 : deny(current.comm);
}
`;

describe.skipIf(!hasBrowser)(
  `the page of an explanation in Chromium${hasBrowser ? "" : ": chromium-headless-shell is not installed"}`,
  () => {
    let folder: string;
    let browser: Browser;
    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), "explanation-"));
      browser = await Browser.open();
    });
    afterAll(async () => {
      await browser.close();
      rmSync(folder, { recursive: true });
    });

    it("shows names with HTML and escapes as text, runs nothing, and loads nothing", async () => {
      const container = { id: HOSTILE, name: HOSTILE, labels: { tier: HOSTILE }, annotations: {} };
      const explanation = await explainedDenial({ policy: POLICY, current: { comm: HOSTILE, container } });
      const file = join(folder, "why.html");
      writeFileSync(file, explanationPage([explanation]));
      await browser.go(pathToFileURL(file).href);
      const shown = String(await browser.evaluate("document.body.innerText"));
      expect(shown).toContain(`${HOSTILE.replace("\u001b", "\\u{1b}")} (pid 1, uid 0`);
      expect(shown).toContain("returned -EPERM at policy.js:3:3");
      expect(await browser.evaluate("document.title")).toBe("Countersign: why a decision is what it is");
      expect(await browser.evaluate("document.querySelectorAll('img, script, b b').length")).toBe(0);
      expect(browser.eventsOf("Runtime.exceptionThrown", "Log.entryAdded")).toEqual([]);
    });
  },
);
