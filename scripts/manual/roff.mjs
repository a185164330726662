// Text as roff, for the macros of man(7).

const ESCAPES = { "\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", '"': "\\(dq" };

/** Text in which nothing is a request or an escape. */
export function text(plain) {
  return plain.replace(/[\\\-'`^~"]|\P{ASCII}/gu, (one) => ESCAPES[one] ?? unicode(one)).replace(/^(?=\.)/gm, "\\&");
}

function unicode(character) {
  return `\\[u${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}]`;
}

export function bold(plain) {
  return `\\fB${text(plain)}\\fR`;
}

export function italic(plain) {
  return `\\fI${text(plain)}\\fR`;
}

/** A paragraph, with what is in backticks in bold, in lines of at most 80 bytes. */
export function highlighted(plain) {
  const marked = plain.split(/`([^`]*)`/).map((part, index) => (index % 2 === 1 ? bold(part) : text(part)));
  return wrapped(marked.join(""));
}

/** roff fills paragraphs anew. A line that a period starts would be a request. */
function wrapped(paragraph) {
  const lines = [];
  for (const word of paragraph.split(/\s+/)) {
    const line = lines.length === 0 ? word : `${lines.at(-1)} ${word}`;
    if (lines.length === 0 || line.length > WIDTH) lines.push(word.replace(/^\./, "\\&."));
    else lines[lines.length - 1] = line;
  }
  return lines.join("\n");
}

const WIDTH = 80;

/** Paragraphs of a help text. Lines that are indented keep their form. */
export function helpText(plain) {
  return plain
    .replace(/^\n+|\s+$/g, "")
    .split(/\n(?: *\n)+/)
    .filter((block) => block !== "")
    .map((block) => `.PP\n${parts(block).join("\n")}`)
    .join("\n");
}

function parts(block) {
  const found = [];
  for (const line of block.split("\n")) {
    const isForm = line.startsWith("  ");
    const last = found.at(-1);
    if (last?.isForm === isForm) last.lines.push(line);
    else found.push({ isForm, lines: [line] });
  }
  return found.map(({ isForm, lines }) =>
    isForm
      ? `.RS 2\n.nf\n${lines.map((line) => text(line.slice(2))).join("\n")}\n.fi\n.RE`
      : highlighted(lines.join("\n")),
  );
}
