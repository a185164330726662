import { expect, it } from "vitest";
import type { ScanVerdict } from "../../src/cli/loaded/scan-verdicts.js";
import { comparisonPage, namedPage, scanPage } from "../../src/cli/output/scan-page.js";
import { compareScans } from "../../src/loaded/compare/compare.js";
import type { ExaminedScan, NamedScan } from "../../src/loaded/scan.js";
import { archiveOf, examinedAnswers, examinedIn, namedIn } from "../support/scans.js";

/** What would run, load or end something on a page, or act on a terminal. */
const HOSTILE = [
  "<script>alert(1)</script>",
  "</pre></details></main><img src=//x.example onerror=alert(1)>",
  `"'><svg/onload=alert(1)>`,
  "&lt;b&gt;&#60;i&#62;",
  "]]><!--",
  "\u001b[2J\u202e\u0000\u2028",
  "</title><style>@import '//x.example'</style>",
];

/** Fields that say which form an object has, or are looked up. */
const FORMS: ReadonlySet<string> = new Set(["at", "by", "kind", "type", "attachType", "hook", "verdict", "tag"]);

/** The same value with `hostile` in place of each text, also in maps; keys stay. */
function hostileIn<T>(value: T, hostile: string): T {
  const replaced = (each: unknown): unknown => {
    if (typeof each === "string") return hostile;
    if (Array.isArray(each)) return each.map(replaced);
    if (each instanceof Map) return new Map([...each].map(([key, its]) => [key, replaced(its)]));
    if (typeof each !== "object" || each === null || ArrayBuffer.isView(each)) return each;
    return Object.fromEntries(Object.entries(each).map(([key, its]) => [key, FORMS.has(key) ? its : replaced(its)]));
  };
  return replaced(value) as T;
}

/** Each tag of the page is one that this project writes, with at most a class. */
function expectInert(html: string, ...shown: readonly string[]): void {
  const body = html.slice(html.indexOf("<body>"));
  const tag = /<\/?(?:body|main|article|h1|h2|p|ul|li|table|tr|th|td|b|pre|details|summary|html)(?: class="[a-z]+")?>/g;
  expect(body.replace(tag, "")).not.toMatch(/[<>"']/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  expect(html).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f\u202e\u2028]/);
  expect(html.match(/<style>/g)).toHaveLength(1);
  for (const each of shown) expect(html).toContain(each);
}

it.each(HOSTILE)("names on a page are text: %j", async (hostile) => {
  const bytes = await archiveOf(examinedAnswers());
  const { scan, examined } = hostileIn<ExaminedScan>(await examinedIn(bytes), hostile);
  const comparison = {
    ...{ hidden: [{ kind: "program", id: 4, name: hostile, tag: hostile, seenBy: ["link"], notSeenBy: ["listed"] }] },
    ...{ untried: [], taints: hostile, unread: [{ sight: "listed", reason: hostile }] },
  } as unknown as NonNullable<ExaminedScan["comparison"]>;
  const verdicts = [
    { of: "program", id: 37, name: hostile, hook: "bpf_prog", verdict: "denied", reason: hostile },
  ] as const satisfies readonly ScanVerdict[];
  const text = hostile.includes("script") ? ["&lt;script&gt;alert(1)&lt;/script&gt;"] : [];
  expectInert(scanPage(scan, { examined, comparison }, verdicts), "program 37 ", ...text);
  const names = [
    { kind: "program", id: 37 } as const,
    { kind: "map", id: 5 } as const,
    { kind: "link", id: 9 } as const,
  ];
  const named = hostileIn<NamedScan>(await namedIn(bytes, names), hostile);
  expectInert(namedPage(named, names, verdicts), ...text);
  const before = { ...scan, programs: [], links: [] };
  const compared = { before, after: scan, comparison: compareScans(before, scan) };
  expectInert(comparisonPage(compared), "<td>new</td><td>program 37</td>", ...text);
});
