/**
 * Characters that change how a terminal shows a text: control characters, line separators, and those that change the
 * direction of text or have no width (Unicode's Bidi_Control and Default_Ignorable_Code_Point, without variation
 * selectors and joiners, which scripts and emoji need), and halves of surrogate pairs.
 */
const HIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\p{Cs}/gu;

/** Text from a task, a container or a policy on one line; what a terminal would act on is shown as `\u{1b}`. */
export function visibleText(text: string): string {
  return text.replace(HIDDEN, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** The same text of JSON, with such characters as escapes of JSON. `json` is what JSON.stringify returned. */
export function visibleJson(json: string): string {
  return json.replace(HIDDEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
