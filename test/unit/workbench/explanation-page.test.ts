import { describe, expect, it } from "vitest";
import { explanationPage } from "../../../src/workbench/explanation-page.js";
import { askProgram, explainedDenial } from "../../support/denials.js";

const HOSTILE = "<img src=x onerror=alert(1)>\u001b[2J&amp;\"'</style><script>alert(1)</script>";
const POLICY = `import { deny } from "countersign";
export function blob_verify(blob, current) {
  return current.container.labels.tier === "<b>edge</b>" ? 0 : deny(current.comm);
}
`;

describe("the page of an explanation", () => {
  it("shows HTML and terminal escapes as text, and can load nothing", { tags: ["deep"] }, async () => {
    const explanation = await explainedDenial({
      policy: POLICY,
      current: { comm: HOSTILE, container: { id: HOSTILE, name: HOSTILE, labels: { tier: HOSTILE }, annotations: {} } },
    });
    const page = explanationPage([explanation]);
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(page).not.toMatch(/<img|<script|<b>edge|<\/style><|onerror=alert\(1\)>/);
    expect(page.match(/<\/style>/g)).toHaveLength(1);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(page).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect(page).not.toMatch(/https?:|<[^>]*src=|url\(|href=/i);
    expect(page).toContain("&lt;img src=x onerror=alert(1)&gt;\\u{1b}[2J&amp;amp;&quot;&#39;");
    expect(page).toContain("policy.js:3:10");
  });

  it("has each decision, with its attachments, the lines of policies and the evidence of effects", {
    tags: ["deep"],
  }, async () => {
    const denied = await explainedDenial({
      policy: {},
      attachments: "  - { policy: policies/no-kernel-read.js, limits: { timeout: 5s } }\n",
      prepare: (place) => void place.policy("no-kernel-read.js"),
      ask: askProgram("peek-tc"),
    });
    const page = explanationPage([denied, { ...denied, outcome: "would deny" }]);
    expect(page.match(/<article>/g)).toHaveLength(2);
    expect(page).toContain('<span class="denied">denied -EPERM</span>');
    expect(page).toContain('<span class="audit">would deny -EPERM</span>');
    expect(page).toContain("no-kernel-read");
    expect(page).toMatch(/condition is true at policies\/no-kernel-read\.js:4:\d+<pre>.*<mark>p<\/mark>rog\.effects/);
    expect(page).toContain("<code>reads_kernel_memory</code>");
  });
});
