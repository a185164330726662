import { GUEST_NAMES } from "../../policy/model/guest.js";
import type { Session } from "./session.js";

/** The names that may follow what was typed, and the part of it that they replace, as node:readline asks for them. */
export function completionsOf(session: Session, typed: string): [string[], string] {
  const { subject, current } = session.question;
  const path = /[\w$.]*$/.exec(typed)?.[0] ?? "";
  const roots: Record<string, unknown> = { [session.argument]: subject, current };
  const parts = path.split(".");
  const last = parts.pop() ?? "";
  let at: unknown = roots;
  for (const name of parts) at = isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  const known = isObject(at) && !Array.isArray(at) ? Object.keys(at) : [];
  const names = parts.length === 0 ? [...known, ...GUEST_NAMES] : known;
  const prefix = parts.map((name) => `${name}.`).join("");
  return [names.filter((name) => name.startsWith(last)).map((name) => prefix + name), path];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !ArrayBuffer.isView(value);
}
