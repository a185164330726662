import * as constants from "countersign";

/** The namespace of the virtual module as the policy sees it; helpers.ts adds the functions. */
export const namespace: Record<string, unknown> = { __proto__: null } as never;

/** Names of the virtual module that are not functions. */
export function addConstants(): void {
  for (const name of Object.keys(constants)) {
    const value = (constants as Readonly<Record<string, unknown>>)[name];
    if (typeof value !== "function") namespace[name] = value;
  }
}
