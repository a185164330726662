import { expect, it } from "vitest";
import { element, htmlPage, text } from "../../src/html-page.js";

it("a page loads nothing, and names in it are text", () => {
  const page = htmlPage("<title>", [element("p", [text('<img src=x>&"\u001b[31m')], "dim")]);
  expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  expect(page).toContain("<title>Countersign: &lt;title&gt;</title>");
  expect(page).toContain('<p class="dim">&lt;img src=x&gt;&amp;&quot;\\u{1b}[31m</p>');
});
