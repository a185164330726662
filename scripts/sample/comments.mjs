import { tokenizer } from "acorn";

/** The longest code that is shown with a comment. */
const MAX_CODE_LINES = 6;

/**
 * The comments of a TypeScript file, each with the code that it belongs to: its own line, or the statement or
 * declaration header after it. Adjacent lines of `//` are one comment.
 * @param {string} file
 * @param {string} text
 */
export function commentsOf(file, text) {
  const lines = text.split("\n");
  const found = [];
  const onComment = (isBlock, content, start, end, { line }, { line: last }) => {
    const before = text.slice(text.lastIndexOf("\n", start - 1) + 1, start);
    const previous = found.at(-1);
    const isAlone = before.trim() === "";
    if (!isBlock && isAlone && previous?.isAlone && previous.last === line - 1 && previous.before === before) {
      previous.comment += ` ${content.trim()}`;
      previous.last = line;
    } else
      found.push({ file, line, last, comment: isBlock ? blockText(content) : content.trim(), isAlone, before, end });
  };
  for (const _ of tokenizer(text, { ecmaVersion: "latest", sourceType: "module", locations: true, onComment }));
  const commented = new Set(found.flatMap((one) => (one.isAlone ? range(one.line, one.last) : [])));
  return found.map(({ line, last, comment, isAlone }) => ({
    file,
    line,
    comment,
    code: isAlone ? codeAfter(lines, last, commented) : lines[line - 1].trim(),
  }));
}

/** The text of a block comment without its stars and line breaks. */
function blockText(content) {
  return content
    .split("\n")
    .map((line) => line.replace(/^\s*\*\s?/, "").trim())
    .filter((line) => line !== "")
    .join(" ");
}

/** The code after line `last` (from 1), up to the end of a statement or of a header, or to an empty line. */
function codeAfter(lines, last, commented) {
  let at = last;
  while (at < lines.length && (lines[at].trim() === "" || commented.has(at + 1))) at++;
  const code = [];
  for (; at < lines.length && lines[at].trim() !== "" && code.length < MAX_CODE_LINES; at++) {
    code.push(lines[at]);
    if (/[;{},]$|=>$/.test(lines[at].trimEnd())) break;
  }
  const indent = Math.min(...code.map((line) => line.length - line.trimStart().length));
  return code.map((line) => line.slice(indent).trimEnd()).join("\n");
}

function range(first, last) {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
