import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const documents = [
  ...readdirSync(root).filter((file) => file.endsWith(".md")),
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => join("docs", file)),
];

/** Anchors as GitHub makes them of headings. */
const anchors = (text: string): string[] =>
  Array.from(text.matchAll(/^#+ (.+)$/gm), ([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );

describe("links between documents", () => {
  it.each(documents)("lead somewhere: %s", (document) => {
    const text = readFileSync(join(root, document), "utf8");
    const links = Array.from(text.matchAll(/\]\(([^)\s]+)\)/g), ([, link]) => link as string);
    for (const link of links.filter((each) => !/^[a-z]+:/.test(each))) {
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? document : join(dirname(document), path);
      expect(existsSync(join(root, target)), link).toBe(true);
      if (anchor !== undefined) expect(anchors(readFileSync(join(root, target), "utf8")), link).toContain(anchor);
    }
  });

  it("lead to every page from the index", () => {
    const index = readFileSync(join(root, "docs/README.md"), "utf8");
    const pages = readdirSync(join(root, "docs")).filter((file) => file.endsWith(".md") && file !== "README.md");
    for (const page of pages) expect(index).toContain(`](${page})`);
  });
});
