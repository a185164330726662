import type { CaseResult } from "./case-result.js";

/**
 * The results as JUnit XML, in the form that Jenkins, GitLab and GitHub's actions read: a `testsuite` for each
 * attachment, whose `time` is in seconds.
 */
export function junit(results: readonly CaseResult[]): string {
  const attachments = [...new Set(results.map(({ attachment }) => attachment))];
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>', `<testsuites ${countsOf(results)}>`];
  for (const attachment of attachments) {
    const cases = results.filter((one) => one.attachment === attachment);
    lines.push(`  <testsuite name="${escaped(attachment)}" ${countsOf(cases)}>`);
    for (const one of cases) lines.push(...testcase(one));
    lines.push("  </testsuite>");
  }
  return `${[...lines, "</testsuites>"].join("\n")}\n`;
}

function testcase({
  attachment,
  place,
  name,
  file,
  expected,
  got,
  passed,
  duration,
  unused_answers,
}: CaseResult): string[] {
  const title = name ?? `${place} ${file}`;
  const attributes = `classname="${escaped(attachment)}" name="${escaped(title)}" file="${escaped(place)}"`;
  const open = `    <testcase ${attributes} time="${(duration / 1000).toFixed(6)}"`;
  if (passed) return [`${open}/>`];
  const unused = unused_answers.length === 0 ? "" : `; unused answers: ${unused_answers.join(", ")}`;
  const message = `expected ${expected}, got ${got}${unused}`;
  return [`${open}>`, `      <failure message="${escaped(message)}">${escaped(place)}</failure>`, "    </testcase>"];
}

function countsOf(results: readonly CaseResult[]): string {
  const failures = results.filter(({ passed }) => !passed).length;
  const seconds = results.reduce((sum, { duration }) => sum + duration, 0) / 1000;
  return `tests="${results.length}" failures="${failures}" errors="0" time="${seconds.toFixed(6)}"`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\n": "&#10;",
  "\r": "&#13;",
  "\t": "&#9;",
};

/** Text for XML 1.0. Characters that no XML document can have become U+FFFD. */
function escaped(text: string): string {
  return (
    text
      .replace(/\p{Surrogate}/gu, "\ufffd")
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
      .replace(/[&<>"\n\r\t]/g, (character) => ENTITIES[character]!)
  );
}
