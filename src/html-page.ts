import { visibleText } from "./visible-text.js";

/**
 * One HTML file without a script, with these elements one after the other. It loads nothing: its content security
 * policy allows its own style alone. `title` is plain text.
 */
export function htmlPage(title: string, elements: readonly string[]): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Countersign: ${text(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${elements.join("\n")}
</main>
</body>
</html>
`;
}

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 1000px; padding: 1rem; overflow-wrap: anywhere; }
article { border-bottom: 2px solid #8884; padding-bottom: 1rem; }
h1 { font-size: 1.3rem; } h2 { font-size: 1.1rem; margin: 1.2rem 0 0.3rem; }
h3 { font-size: 1rem; margin: 1rem 0 0.2rem; }
p { margin: 0.25rem 0; } ul { margin: 0.2rem 0; padding-left: 1.2rem; list-style: none; }
.denied { color: #c22; } .allowed { color: #282; } .audit { color: #a60; } .dim { opacity: 0.7; }
.why { border-left: 3px solid #c22; padding-left: 0.6rem; }
pre { background: #8882; margin: 0.2rem 0 0.4rem; overflow-x: auto; padding: 0.3rem 0.6rem; }
table { border-collapse: collapse; margin: 0.4rem 0; } th { white-space: nowrap; }
th, td { padding: 0.2rem 0.8rem 0.2rem 0; text-align: left; }
th, td { border-bottom: 1px solid #8884; min-width: 2rem; vertical-align: top; } td b { white-space: nowrap; }
td div { padding-left: 1rem; text-indent: -1rem; }
code { background: #8882; padding: 0 0.25rem; } mark { background: #fb06; color: inherit; }
`;

/** An element with children in HTML; `style` is the class that says how it looks. */
export function element(name: string, children: readonly string[], style = ""): string {
  const attribute = style === "" ? "" : ` class="${style}"`;
  return `<${name}${attribute}>${children.join(BLOCKS.has(name) ? "\n" : "")}</${name}>`;
}

/** Elements of which each child has a line of its own. */
const BLOCKS: ReadonlySet<string> = new Set(["article", "ul", "table"]);

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text with everything escaped that HTML or a terminal would act on. */
export function text(value: string): string {
  return visibleText(value.replaceAll("\t", " ")).replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
