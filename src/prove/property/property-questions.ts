import type { HookName } from "../../hooks/catalogue.js";
import type { PropertySource } from "../explorer/rewritten-policy.js";
import { concerns } from "./shipped-properties.js";

/** A property, and the hook about whose decisions it is asked. */
export interface PropertyQuestion {
  readonly hook: HookName;
  readonly property: PropertySource;
}

export interface ChosenProperties {
  /** Those of a file, or those that ship. */
  readonly properties: readonly PropertySource[];
  readonly areShipped: boolean;
  /** Only this one; null for all. */
  readonly hook: HookName | null;
}

/**
 * What is asked about a configuration whose attachments have these hooks: properties that ship are asked at all hooks
 * that they are about, those of a file at `bpf_prog_load`.
 */
export function propertyQuestions(
  { properties, areShipped, hook }: ChosenProperties,
  hooks: readonly HookName[],
): readonly PropertyQuestion[] {
  const own: readonly HookName[] = areShipped ? hooks : ["bpf_prog_load"];
  return (hook === null ? own : [hook]).flatMap((one) =>
    properties.filter(({ name }) => !areShipped || concerns(name, one)).map((property) => ({ hook: one, property })),
  );
}
