/** How a part of a text is found. Units are UTF-16 code units; `unit` is a text of one. */
export type TextStep =
  | { readonly step: "trim" | "trimStart" | "trimEnd" | "toLowerCase" | "toUpperCase" }
  /** From one unit on, to another one if `to` is not null. */
  | { readonly step: "slice"; readonly from: number; readonly to: number | null }
  /** The last units, or all but the last ones. */
  | { readonly step: "last" | "without last"; readonly count: number }
  /** What is before or after the first or last unit of a kind; all of the text if there is none. */
  | { readonly step: "before first" | "after first" | "after last"; readonly unit: string }
  /** What is before the last unit of a kind; without the last unit of all if there is none. */
  | { readonly step: "before last"; readonly unit: string };

/** The part of a text, as JavaScript computes it. */
export function stepOf(text: string, its: TextStep): string {
  switch (its.step) {
    case "trim":
    case "trimStart":
    case "trimEnd":
    case "toLowerCase":
    case "toUpperCase":
      return text[its.step]();
    case "slice":
      return text.slice(its.from, its.to ?? undefined);
    case "last":
      return text.slice(-its.count);
    case "without last":
      return text.slice(0, -its.count);
    case "before first":
      return text.split(its.unit)[0]!;
    case "after first":
      return text.slice(text.indexOf(its.unit) + 1);
    case "before last":
      return text.slice(0, text.lastIndexOf(its.unit));
    case "after last":
      return text.slice(text.lastIndexOf(its.unit) + 1);
  }
}

/** A step in the name of a symbol, as JavaScript writes it. */
export function stepName(of: string, its: TextStep): string {
  return of + suffixOf(its);
}

/** The name of the text of which a symbol is a part by a step. */
export function wholeName(name: string, its: TextStep): string {
  return name.slice(0, name.length - suffixOf(its).length);
}

function suffixOf(its: TextStep): string {
  switch (its.step) {
    case "trim":
    case "trimStart":
    case "trimEnd":
    case "toLowerCase":
    case "toUpperCase":
      return `.${its.step}()`;
    case "slice":
      return `.slice(${its.from}${its.to === null ? "" : `,${its.to}`})`;
    case "last":
      return `.slice(${-its.count})`;
    case "without last":
      return `.slice(0,${-its.count})`;
    default:
      return `[${its.step} ${JSON.stringify(its.unit)}]`;
  }
}

/** A number that is found in a text: its length, where a unit is, or how often a unit is in it. */
export type TextMeasure =
  | { readonly measure: "length" }
  | { readonly measure: "indexOf" | "lastIndexOf" | "count"; readonly unit: string };

export function measureOf(text: string, its: TextMeasure): number {
  if (its.measure === "length") return text.length;
  return its.measure === "count" ? text.split(its.unit).length - 1 : text[its.measure](its.unit);
}

/** The name of a symbol for a number that is found in a text. */
export function measureName(of: string, its: TextMeasure): string {
  return its.measure === "length" ? `${of}.length` : `${of}.${its.measure}(${JSON.stringify(its.unit)})`;
}

/** The name of the text in which a number is found. */
export function measuredName(name: string, its: TextMeasure): string {
  return name.slice(0, name.length - measureName("", its).length);
}
