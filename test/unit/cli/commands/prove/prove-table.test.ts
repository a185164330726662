// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the strings are policies with templates
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../../../../support/command-line.js";

const LIMIT =
  'import { deny } from "countersign";\nexport const bpf_prog_load = (prog) =>\n  prog.insn_cnt > 100 ? deny(`${prog.name} is too large`) : 0;\n';
const LOOP =
  "export const bpf_prog_load = (prog) => (prog.maps.reduce((all, map) => all || map.memory > 4096, false) ? -1 : 0);\n";
/** More paths than a computer can explore: a name has any fifteen of these letters. */
const MANY = `export function bpf_prog_load(prog) {\n  let n = 0;\n${Array.from(
  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN",
  (letter) => `  if (prog.name.includes("${letter}")) n += 1;`,
).join("\n")}\n  return prog.insn_cnt > n ? 0 : -1;\n}\n`;

describe("countersign prove table", () => {
  let folder: string;
  const prove = (...words: readonly string[]) =>
    runCommand("prove", "table", join(folder, "countersign.yaml"), ...words);
  const write = (policies: Readonly<Record<string, string>>, more = "") => {
    const attachments = Object.keys(policies).map((name) => `  - { policy: ${name}.js${more} }`);
    for (const [name, text] of Object.entries(policies)) writeFileSync(join(folder, `${name}.js`), text);
    writeFileSync(join(folder, "countersign.yaml"), `version: 1\nattachments:\n${attachments.join("\n")}\n`);
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("prints a row for each answer, and what is assumed, and exits with 0", { tags: ["deep"] }, async () => {
    write({ limit: LIMIT });
    const { code, out, err } = await prove();
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^limit at bpf_prog_load \(limit\.js\)$/m);
    expect(out).toMatch(/^deny -EPERM +limit\.js:3 +prog\.insn_cnt > 100: \{prog\.name\} is too large$/m);
    expect(out).toMatch(/^allow +limit\.js:3 +prog\.insn_cnt ≤ 100$/m);
    expect(out).toMatch(/^1 allow, 1 deny$/m);
    expect(out).toMatch(/^Assumed:$/m);
  });

  it("names once the line that says what a map has, which the entries of its file satisfy", async () => {
    const look = (errno: number) =>
      `import { map_lookup } from "countersign";\nexport const bpf_prog_load = () => (map_lookup("m", "a")?.on ? ${errno} : 0);\n`;
    write({ one: look(-1), other: look(-2) });
    writeFileSync(join(folder, "m.json"), '{ "a": { "on": true }, "b": { "on": false, "for": [1, 2] } }');
    const config = join(folder, "countersign.yaml");
    const before = readFileSync(config, "utf8");
    const configure = (schema: string) => writeFileSync(config, `${before}maps: { m: { file: m.json${schema} } }\n`);
    configure("");
    const assumed = (out: string) => out.split("\n").filter((line) => line.includes("any JSON value"));
    const [line, ...others] = assumed((await prove()).out);
    expect(others).toEqual([]);
    expect(line).toContain("`m` has any JSON value under any key");
    const proposed = /such as `(.*)`$/.exec(line!)![1];
    expect(proposed).toBe(
      "values: { type: object, properties: { on: { type: boolean }, for: { type: array, items: { type: integer } } }, required: [ on ], additionalProperties: false }",
    );
    configure(`, ${proposed}`);
    const { code, out } = await prove();
    expect([code, assumed(out)]).toEqual([0, []]);
  });

  it("ends with what all attachments enforce together, in a limited number of rows", { tags: ["deep"] }, async () => {
    write({
      limit: LIMIT,
      many: 'export const bpf_prog_load = (prog) => prog.gpl_compatible\n  ? (prog.type === "lsm" ? -7 : -13) : prog.type === "xdp" || prog.type === "sched_cls" ? -7 : 0;\n',
    });
    const { code, out } = await prove();
    expect(code).toBe(0);
    expect(out).toMatch(/^all attachments at bpf_prog_load \(default allow\)$/m);
    expect(out).toMatch(
      /^\d +deny -E2BIG +many many\.js:1 +prog\.insn_cnt ≤ 100 and not prog\.gpl_compatible and prog\.type is "xdp" or "sched_cls"$/m,
    );
    const { configuration } = JSON.parse((await prove("--json", "--rows", "1")).out);
    expect(configuration).toMatchObject([{ hook: "bpf_prog_load", unfinished: null }]);
    const rows = configuration[0].rows.map((row: Record<string, unknown>) => [row.result, row.attachment, row.more]);
    expect(rows).toEqual([
      ["deny", "limit", 0],
      ["deny", "many", 1],
      ["deny", "many", 0],
      ["allow", null, 0],
    ]);
  });

  it("writes one page with --html, in which names are text, and prints nothing", async () => {
    const text = LIMIT.replace("too large", "<b>too large</b>");
    const long = `${"long ".repeat(30)}reason`;
    write({
      limit: text,
      loop: LOOP,
      long: `import { deny } from "countersign";\nexport const bpf_prog_load = () => deny("${long}");\n`,
    });
    const page = join(folder, "tables.html");
    const { code, out } = await prove("--html", page);
    expect([code, out]).toEqual([2, ""]);
    const html = readFileSync(page, "utf8");
    expect(html).toContain("default-src 'none'");
    expect(html).not.toMatch(/<script|<link|src=|https?:/);
    expect(html).toContain("<h2>limit at bpf_prog_load (limit.js)</h2>");
    expect(html).toContain(
      '<tr><td><b class="denied">deny -EPERM</b></td><td><div>prog.insn_cnt &gt; 100</div></td>' +
        "<td>{prog.name} is &lt;b&gt;too large&lt;/b&gt;</td><td>limit.js:3</td></tr>",
    );
    expect(html).toContain(`<details><summary>${long.slice(0, 119)}…</summary>${long}</details>`);
    expect(html).toContain('<b class="audit">not decided</b>');
    expect(html).toContain("<h2>all attachments at bpf_prog_load (default allow)</h2>");
    expect(await prove("--html", page, "--json")).toMatchObject({
      code: 2,
      err: expect.stringContaining("--json and --html exclude each other"),
    });
  });

  it("exits with 2 if something is not decided, and names its line", async () => {
    write({ limit: LIMIT, loop: LOOP });
    const { code, out } = await prove("--json");
    expect(code).toBe(2);
    const { tables, assumes } = JSON.parse(out);
    expect(assumes.length).toBeGreaterThan(3);
    expect(tables).toMatchObject([
      { attachment: "limit", hook: "bpf_prog_load", limit: null, rows: [{ result: "deny" }, { result: "allow" }] },
      { attachment: "loop", rows: [{ result: "not decided", place: "loop.js:1", verdict: null }] },
    ]);
    expect(tables[1].rows[0].reason).toContain("a variable that a loop over a list changes otherwise than by");
  });

  it("says that a table is not complete when it reaches the most paths", { tags: ["deep"] }, async () => {
    write({ many: MANY });
    const { code, out } = await prove("--json", "--max-paths", "20");
    expect(code).toBe(2);
    const [{ rows, ...table }] = JSON.parse(out).tables;
    expect(rows.length).toBeLessThanOrEqual(20);
    expect(table).toMatchObject({ unfinished: "there are more paths than 20", limit: "paths" });
  });

  it("says that a table is not complete when the time is over, and that later ones are not", {
    tags: ["deep"],
  }, async () => {
    write({ many: MANY, limit: LIMIT });
    const { code, out } = await prove("--json", "--max-paths", "1000000", "--timeout", "1");
    expect(code).toBe(2);
    for (const table of JSON.parse(out).tables)
      expect(table).toMatchObject({ unfinished: "the time limit was reached", limit: "timeout" });
  });

  it("says what a mode and on_fault change", async () => {
    write({ limit: LIMIT }, ", mode: audit, on_fault: allow, scope: { uid: 1000 }");
    const { out } = await prove("--markdown");
    expect(out).toMatch(/^## limit at bpf_prog_load \(limit\.js; audit: it never denies; a fault allows; scope /m);
    expect(out).toMatch(/^\| prog\.insn_cnt > 100 \| deny -EPERM \| \{prog\.name\} is too large \| limit\.js:3 \|$/m);
  });

  it("takes one attachment, and rejects a name that there is not", async () => {
    write({ limit: LIMIT, loop: LOOP });
    expect(await prove("--attachment", "limit")).toMatchObject({ code: 0 });
    const { code, err } = await prove("--attachment", "limits");
    expect(code).toBe(2);
    expect(err).toMatch(/`limits`.*`limit`.*\[USAGE\]/);
  });

  it("rejects options that exclude each other, a limit that is no number, and a policy that cannot be linked", async () => {
    write({ limit: LIMIT, broken: "export const bpf_prog_load = (prog) => ;" });
    expect(await prove("--json", "--markdown")).toMatchObject({ code: 2 });
    expect(await prove("--max-paths", "many")).toMatchObject({ code: 2 });
    const { code, err } = await prove();
    expect([code, err]).toEqual([2, expect.stringContaining("POLICY_SYNTAX")]);
  });
});
