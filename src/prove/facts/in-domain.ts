import { type FactDomain, LARGEST_AMOUNT } from "../../fact-type.js";

/** The paths at which a value is not in its domain; none for a real fact. */
export function outsideDomain(value: unknown, domain: FactDomain, path: string): readonly string[] {
  switch (domain.kind) {
    case "flag":
      return isOr(typeof value === "boolean", path);
    case "count":
      return isOr(Number.isInteger(value) && (value as number) >= 0 && (value as number) <= domain.most, path);
    case "amount":
      return isOr(Number.isInteger(value) && (value as number) >= 0 && (value as number) <= LARGEST_AMOUNT, path);
    case "text":
      return isOr(typeof value === "string" && (domain.hex === null || isHex(value, domain.hex)), path);
    case "integer or text":
      return isOr(typeof value === "string" || Number.isSafeInteger(value), path);
    case "bytes":
      return isOr(value instanceof Uint8Array, path);
    case "unknown or":
      return outsideDomain(value, domain.of, path);
    case "null or":
      return value === null ? [] : outsideDomain(value, domain.of, path);
    case "list":
      if (!Array.isArray(value)) return [path];
      return value.flatMap((element, index) => outsideDomain(element, domain.of, `${path}.${index}`));
    case "record":
      if (!isObject(value)) return [path];
      return Object.entries(value).flatMap(([key, one]) => outsideDomain(one, domain.of, `${path}.${key}`));
    case "object":
      if (!isObject(value)) return [path];
      return Object.entries(domain.fields).flatMap(([name, of]) =>
        Object.hasOwn(value, name)
          ? outsideDomain((value as Readonly<Record<string, unknown>>)[name], of, `${path}.${name}`)
          : isOr(of.kind === "unknown or", `${path}.${name}`),
      );
  }
}

function isOr(isInside: boolean, path: string): readonly string[] {
  return isInside ? [] : [path];
}

function isHex(text: string, bytes: number): boolean {
  return text.length === 2 * bytes && /^[0-9a-f]*$/.test(text);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
