import type { Finding, TextEdit } from "./model/finding.js";

/**
 * The text of a file with the fixes of its findings. Of two edits that overlap only the first is made. Offsets of edits
 * are those of the text with LF line ends, which the text itself need not have.
 */
export function fixedText(
  text: string,
  findings: readonly Finding[],
): { readonly text: string; readonly made: number } {
  const offsets = text.includes("\r") ? offsetsWithReturns(text) : null;
  const at = (offset: number) => offsets?.[offset] ?? offset;
  const edits = findings.flatMap(({ fix }) => fix ?? []).sort((left, right) => left.start - right.start);
  let result = "";
  let end = 0;
  let made = 0;
  let last: TextEdit | null = null;
  for (const edit of edits) {
    if (last !== null && edit.start < last.end) continue;
    if (last !== null && edit.start === last.start && edit.text === last.text) continue;
    result += text.slice(end, at(edit.start)) + edit.text;
    end = at(edit.end);
    made += 1;
    last = edit;
  }
  return { text: result + text.slice(end), made };
}

/** For each offset in the text with LF line ends, the offset in the text itself. */
function offsetsWithReturns(text: string): number[] {
  const offsets: number[] = [];
  for (let at = 0; at < text.length; at++) {
    offsets.push(at);
    if (text[at] === "\r" && text[at + 1] === "\n") at += 1;
  }
  offsets.push(text.length);
  return offsets;
}
