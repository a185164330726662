// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the strings are the text of source files
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";

interface Message {
  readonly file: string;
  readonly line: number;
  readonly code: string | null;
  readonly message: string;
  readonly remedy: string | null;
}
type MessagesOf = (sources: { file: string; text: string }[]) => Message[];

const script = join(import.meta.dirname, "../../../scripts/sample/messages.mjs");
const { messagesOf } = (await import(pathToFileURL(script).href)) as { messagesOf: MessagesOf };

/** The messages of files, each as its file, line, code, message and remedy. */
function found(files: Record<string, string>): unknown[] {
  const sources = Object.entries(files).map(([file, text]) => ({ file, text }));
  return messagesOf(sources).map(({ file, line, code, message, remedy }) => [file, line, code, message, remedy]);
}

describe("the error messages of source files", () => {
  it("have what an error is constructed with", () => {
    const text = 'type T = 1;\nthrow new CountersignError("USAGE", `no ${x} here`, { remedy: "name one" });';
    expect(found({ "src/a.ts": text })).toEqual([["src/a.ts", 2, "USAGE", "no ${x} here", "name one"]]);
  });

  it("have what the calls of a function give to the error that it makes", () => {
    const maker =
      'export function bad(message: string, remedy = "try it again") {\n' +
      '  return new CountersignError("INTERNAL", `the file ${message}`, { remedy });\n}';
    const caller = 'import { bad } from "./a.js";\nbad("is empty");\nbad(`has ${n} bytes`, "shorten it");';
    expect(found({ "src/a.ts": maker, "src/b.ts": caller, "src/c.ts": 'bad("is another function");' })).toEqual([
      ["src/b.ts", 2, "INTERNAL", "the file is empty", "try it again"],
      ["src/b.ts", 3, "INTERNAL", "the file has ${n} bytes", "shorten it"],
    ]);
  });

  it("have what the calls of a method give, through a second one", () => {
    const text =
      "class A {\n  one(what: string) { return this.two(`there is ${what}`); }\n" +
      '  two(message: string) { return new CountersignError("USAGE", message); }\n' +
      '  three() { this.one("no such file"); }\n}';
    expect(found({ "src/a.ts": text })).toEqual([["src/a.ts", 4, "USAGE", "there is no such file", null]]);
  });

  it("show only the function if its calls insert names", () => {
    const text = 'const none = (name) => new CountersignError("USAGE", `no file ${name}`);\nnone("a");\nnone(b);';
    expect(found({ "src/a.ts": text })).toEqual([["src/a.ts", 1, "USAGE", "no file ${name}", null]]);
  });

  it("have rows of tables, wrong options, and rules of the configuration", () => {
    const table = 'const T = [{ message: "has an enum", remedy: "use a constant" }];';
    const option = 'new InvalidArgumentError("Write it as a=b.");';
    const rule = 'z.string().regex(/a/, "is no name").refine(f, { error: "is empty; name one" });';
    expect(found({ "src/a.ts": table, "src/b.ts": option, "src/config/c.ts": rule, "src/d.ts": rule })).toEqual([
      ["src/a.ts", 1, null, "has an enum", "use a constant"],
      ["src/b.ts", 1, "USAGE", "Write it as a=b.", "see `countersign COMMAND --help`"],
      ["src/config/c.ts", 1, "CONFIG_INVALID", "is no name", null],
      ["src/config/c.ts", 1, "CONFIG_INVALID", "is empty", "name one"],
    ]);
  });
});
