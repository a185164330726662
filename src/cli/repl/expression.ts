import { GUEST_MODULE, GUEST_NAMES } from "../../policy/model/guest.js";

/** Characters of one note, and the most notes of a decision: what a policy can give to the caller. */
const NOTE = 1000;
const NOTES = 16;

/** Lines that declare something for later lines, and have no value. */
const DECLARATION = /^\s*(?:const|let|function|class)\b/;

export function isDeclaration(line: string): boolean {
  return DECLARATION.test(line);
}

/**
 * A policy that evaluates an expression at a hook: its notes are the value, its verdict is the value if that is a
 * number. `argument` is what the subject is called, `declarations` are earlier lines.
 */
export function policyOf(
  hook: string,
  argument: string,
  declarations: readonly string[],
  expression: string | null,
): string {
  const used = GUEST_NAMES.filter((name) => [...declarations, expression ?? ""].some((text) => text.includes(name)));
  const names = [...new Set([...used, "note"])];
  const body = expression === null ? "return 0;" : `const $value = (\n${expression}\n);\n${SHOW}`;
  return `import { ${names.join(", ")} } from "${GUEST_MODULE}";
export function ${hook}(${argument}, current) {
${declarations.join("\n")}
${body}
}
`;
}

const SHOW = `const $json = typeof $value === "bigint" ? undefined : JSON.stringify($value);
const $text = $json === undefined ? \`t\${String($value)}\` : \`j\${$json}\`;
for (let $at = 0; $at < $text.length && $at < ${NOTE * NOTES}; $at += ${NOTE}) note($text.slice($at, $at + ${NOTE}));
return typeof $value === "number" && $value < 0 && $value >= -4095 ? $value : 0;`;

/** The value that the notes of such a policy give: JSON, or a text for what JSON does not have. */
export function notedValue(notes: readonly string[]): { readonly json: unknown } | { readonly text: string } {
  const whole = notes.join("");
  const text = whole.slice(1);
  if (whole.startsWith("j") && whole.length < NOTE * NOTES) return { json: JSON.parse(text) };
  return { text: whole.length < NOTE * NOTES ? text : `${text}… (longer than ${NOTE * NOTES} characters)` };
}
