/** A conversion with its letter or, behind `%p`, the letters that say what is printed. */
const CONVERSION = /%(?:%|[-+ #0]*\d*(?:ll?|h|z)?[diuxXcs]|0?p[A-Za-z0-9]*)/y;
/** What prints the memory behind its argument (`%s`, `%pI4`), or a hash of the argument (`%p`, `%pK`). */
const FOLLOWS = /^%[^p]*s$|^%0?pK?$|^%0?p[ku]s|^%0?p[iI][46]/;

/**
 * For each argument of a format, whether its value is printed (bpf_bprintf_prepare of kernel/bpf/helpers.c): by `%px`,
 * by a conversion of a number, or by `%ps`, `%pS` and `%pB`, which print the number if it is of no symbol. Null if the
 * format is not known, or has a conversion that is not.
 */
export function printedArguments(text: string | null): readonly boolean[] | null {
  if (text === null) return null;
  const printed: boolean[] = [];
  for (let at = text.indexOf("%"); at >= 0; at = text.indexOf("%", at)) {
    CONVERSION.lastIndex = at;
    const [conversion] = CONVERSION.exec(text) ?? [];
    if (conversion === undefined) return null;
    if (conversion !== "%%") printed.push(!FOLLOWS.test(conversion));
    at += conversion.length;
  }
  return printed;
}
