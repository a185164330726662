/**
 * Powers of two that the engine writes with one digit more than ECMA-262 allows (section 6.1.6.1.20, the fewest digits
 * that give the number again). The numbers just below a power of two are half as far away as those above it, which
 * QuickJS does not use. It writes all other numbers as V8 does.
 */
const LONGER: ReadonlyMap<number, string> = new Map(
  (
    "7.1202363472230444e-307 7.2911220195563975e-304 8.2090736025967525e-289 5.6412324245775924e-278 " +
    "5.8581906792798084e-244 7.6784476871456305e-239 6.1427581497165044e-238 6.2901843453097005e-235 " +
    "5.9409111446723744e-213 6.0834930121445114e-210 5.2256807065210415e-200 5.3510970434775465e-197 " +
    "6.8494042156512595e-195 5.1752635032988095e-172 5.4266571032350524e-166 5.9666725849601654e-154 " +
    "6.1098727269992094e-151 4.8878981815993675e-150 6.2565096724471904e-148 5.0758836746312984e-116 " +
    "6.6530622500127355e-111 7.8545495444763625e-90 7.1746481373430634e-43 6.3108872417680944e-30 " +
    "6.6174449004242214e-24 5.6843418860808015e-14 5.9604644775390625e-8 6.1897001964269014e+26 " +
    "5.3169119831396635e+36 5.4445178707350154e+39 7.1362384635297994e+44 5.9863107065073784e+51 " +
    "6.1299821634635554e+54 6.0708402882054033e+82 6.5185151242703555e+91 7.1671831749689735e+103 " +
    "6.1565634681866374e+113 6.4556246952172715e+119 8.2631996098781075e+121 6.2434971006319845e+144 " +
    "5.6236422431789955e+160 5.7586096570152914e+163 5.8968162887836584e+166 6.1832600368276134e+172 " +
    "6.4836180763765515e+178 5.3863791631855345e+213 5.7835805874344294e+222 5.3344115463038834e+241 " +
    "6.1501577861568104e+259 8.2546020489947695e+267 5.2829453113566525e+269 6.0908212571249994e+287 " +
    "6.2370009672959994e+290 6.3866889905111034e+293"
  )
    .split(" ")
    .map((text) => [Number(text), text]),
);

/** `String(value)` of a number as the engine, which executes policies, writes it. */
export function numberText(value: number): string {
  const text = LONGER.get(Math.abs(value));
  if (text === undefined) return String(value);
  return value < 0 ? `-${text}` : text;
}

/** `String(value)` of a JSON value as the engine writes it. An object must not have a key `toString`. */
export function valueText(value: unknown): string {
  if (typeof value === "number") return numberText(value);
  if (Array.isArray(value)) return value.map((one) => (one === null ? "" : valueText(one))).join();
  return String(value);
}

/** The numbers of a JSON text, and its strings, which can have digits that are no number. */
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

/** `JSON.stringify(value)` of a JSON value as the engine writes it. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(TOKENS, (token) => (token.startsWith('"') ? token : numberText(Number(token))));
}
