import type { HookName } from "../../hooks/catalogue.js";
import { hookRow } from "../../hooks/catalogue.js";
import { packagePath } from "../../package-path.js";
import type { PropertySource } from "../explorer/rewritten-policy.js";
import { propertiesOf } from "./property-file.js";

/** What the properties of properties/shipped.js say, and whether they are about programs only. */
export const SHIPPED_PROPERTIES: Readonly<Record<string, { readonly doc: string; readonly isOfPrograms: boolean }>> = {
  never_faults: { doc: "no policy fails, whatever it is asked about", isOfPrograms: false },
  nothing_unsigned_loads: { doc: "what may be loaded is signed by a key of one of the keyrings", isOfPrograms: true },
  revoked_signers_never_load: {
    doc: "a program with a revoked signer may not be loaded, unless another keyring verifies it",
    isOfPrograms: true,
  },
  audit_equals_enforce: { doc: "a dry run denies nothing, and decides as if it enforced", isOfPrograms: false },
  unknown_labels_allow_no_more: {
    doc: "what is denied to a container with known labels is denied to it, too, if they cannot be read",
    isOfPrograms: false,
  },
};

/** The properties that ship. Throws INTERNAL if their file is missing. */
export function shippedProperties(): readonly PropertySource[] {
  return propertiesOf(packagePath("properties/shipped.js"));
}

/** Whether a shipped property is about what a hook decides. */
export function concerns(property: string, hook: HookName): boolean {
  return SHIPPED_PROPERTIES[property]?.isOfPrograms !== true || hookRow(hook).subject === "program";
}
