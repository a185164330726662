import { HOOK_NAMES, type HookName } from "../../../hooks/catalogue.js";
import { unknownName } from "./unknown-name.js";

/** The hook that an option names; null without the option. Throws USAGE if there is no such hook. */
export function hookNamed(name: string | undefined): HookName | null {
  if (name === undefined) return null;
  if (!(HOOK_NAMES as readonly string[]).includes(name)) throw unknownName("hook", name, HOOK_NAMES);
  return name as HookName;
}
