/**
 * The code that runs in a runtime before the policy. scripts/guest.mjs bundles it to the text of a function of
 * `$integers`, `$doubles`, `$call` and `$settings`. Only the host has the function's result: no policy can reach it.
 */

import { ANSWERED, POINT_REACHED, STATUS, STEPS, THREW, VERDICT, WRONG } from "../shared/buffer-layout.js";
import { LINK, type Linked } from "../shared/link.js";
import { forgetAnswers, tellAnswers } from "./answers.js";
import { functions } from "./countersign.js";
import { forgetCurrent, makeCurrent } from "./current.js";
import { dropping, rejectUnused, takeUnusedDenial } from "./denials.js";
import { ARRAY_FACTS, makeNamespace, OBJECT_FACTS, takeUnknownFact } from "./facts.js";
import { describe, moreSteps, takeExhausted } from "./faults.js";
import { correctGroupBy } from "./group-by.js";
import { callHost, doubles, integers } from "./host.js";
import { lockDown } from "./lockdown.js";
import { recorded } from "./reads.js";
import { settings } from "./settings.js";
import { dropSubject, putShape, putShared, putSubject, subjects } from "./subjects.js";

// biome-ignore lint/style/useConst: the host declares it
declare let $handles: object;

const current = makeCurrent(settings.currentNumbers, settings.currentOthers, settings.currentRecords);
const guest = makeNamespace({ ...settings.constants, ...functions });
let thrown: unknown;
let wrong: unknown;
let stepsLeft: () => number;

/** The arguments of a linked policy. The policy's own code cannot name them. */
const link: Readonly<Record<Linked, unknown>> = {
  integers,
  current: recorded(current, "current"),
  subjects,
  guest,
  moreSteps,
  unused: rejectUnused,
  dropping,
  freeze: Object.freeze,
  reached(point: number): void {
    callHost(POINT_REACHED, "a point", undefined, point);
  },
  /** Receives the function that reads the policy's step count. */
  metered(left: () => number): void {
    stepsLeft = left;
  },
  threw(error: unknown): void {
    thrown = error;
    integers[STATUS] = THREW;
  },
  /** Where a library leaves its exports for the text that is taken after it; see policy/linker/library.ts. */
  library: { __proto__: null, exports: null },
  answered(value: unknown): void {
    if (typeof value === "number") {
      doubles[VERDICT] = value;
      integers[STATUS] = ANSWERED;
      return;
    }
    wrong = value;
    integers[STATUS] = WRONG;
  },
};
const given = LINK.map((name) => link[name]);

correctGroupBy();
lockDown(settings.permits, settings.overridable, [
  current,
  guest,
  moreSteps,
  rejectUnused,
  dropping,
  OBJECT_FACTS,
  ARRAY_FACTS,
]);

$handles = [
  /**
   * Takes a linked policy and returns a function that makes one decision, with its input and output in the shared
   * buffer.
   */
  (factory: (...link: typeof given) => () => void) => factory(...given),
  /** Reports the last decision as JSON: the fields of `Told` that differ from `SILENT`. Clears them. */
  () => {
    const told: Record<string, unknown> = {};
    tellAnswers(told);
    const status = integers[STATUS];
    if (status === THREW) told.error = describe(thrown);
    else if (status === WRONG) told.wrong = kindOf(wrong);
    const unknown = takeUnknownFact();
    if (unknown !== null) told.unknown = unknown;
    const unused = takeUnusedDenial();
    if (unused !== null) told.unused = unused;
    takeExhausted();
    thrown = undefined;
    wrong = undefined;
    return JSON.stringify(told);
  },
  putSubject,
  dropSubject,
  putShape,
  putShared,
  () => {
    integers[STEPS] = stepsLeft();
  },
  () => {
    forgetAnswers();
    forgetCurrent();
  },
];

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "string")
    return value.length > 64 ? `a string of ${value.length} characters` : `the string ${JSON.stringify(value)}`;
  // Writing all digits of a bigint can take seconds
  if (typeof value === "object" || typeof value === "function" || typeof value === "bigint")
    return `a value of type ${typeof value}`;
  return String(value).slice(0, 64);
}
