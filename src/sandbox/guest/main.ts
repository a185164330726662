/**
 * What runs in a runtime before any policy does. scripts/guest.mjs makes one text of it, a function of `$box`, `$call` and
 * `$settings`, whose value the host holds on to: no policy can reach it.
 */
import { ANSWERED, FUEL, HOOK, STATUS, SUBJECT, SWALLOWED, THREW, VERDICT, WRONG } from "../slots.js";
import { forgetAnswers, tellAnswers } from "./answers.js";
import { functions } from "./countersign.js";
import { makeCurrent } from "./current.js";
import { caught, describe, exhausted, forgetFaults } from "./faults.js";
import { box } from "./host.js";
import { lockDown } from "./lockdown.js";
import { dropSubject, putSubject, subjects } from "./subjects.js";

declare const $settings: string;
// biome-ignore lint/style/useConst: the host declares it
declare let $handles: object;

interface Settings {
  readonly permits: Readonly<Record<string, string>>;
  readonly constants: Readonly<Record<string, string | number>>;
  readonly currentNumbers: readonly string[];
  readonly currentOthers: readonly string[];
}

type Enter = (fuel: number, hook: number, subject: unknown) => unknown;

const settings = JSON.parse($settings) as Settings;
const { current, forget } = makeCurrent(settings.currentNumbers, settings.currentOthers);
const guest = Object.freeze({ __proto__: null, ...settings.constants, ...functions });
const freeze = Object.freeze;
const link = Object.freeze({ __proto__: null, current, box, exhausted, caught, guest, freeze });
let enter: Enter = () => undefined;
let wrong: unknown;
let thrown: unknown;

lockDown(settings.permits, [current, guest, exhausted, caught]);

$handles = [
  /** Takes a linked policy. */
  (factory: (host: typeof link) => Enter) => {
    enter = factory(link);
  },
  /** One decision: everything is in the box, before and after. */
  () => {
    forgetAnswers();
    forgetFaults();
    forget();
    box[SWALLOWED] = 0;
    try {
      const verdict = enter(box[FUEL]!, box[HOOK]!, subjects[box[SUBJECT]!]);
      if (typeof verdict === "number") {
        box[VERDICT] = verdict;
        box[STATUS] = ANSWERED;
      } else {
        wrong = verdict;
        box[STATUS] = WRONG;
      }
    } catch (error) {
      thrown = error;
      box[STATUS] = THREW;
    }
  },
  /** What there is to say about the last decision, as JSON; nothing of it is kept. */
  () => {
    const told = JSON.stringify({
      ...tellAnswers(),
      error: box[STATUS] === THREW ? describe(thrown) : null,
      wrong: box[STATUS] === WRONG ? kindOf(wrong) : null,
    });
    thrown = undefined;
    wrong = undefined;
    return told;
  },
  putSubject,
  dropSubject,
];

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "string") return `the string ${JSON.stringify(value.slice(0, 64))}`;
  // a bigint's digits can take seconds to write
  if (typeof value === "object" || typeof value === "function" || typeof value === "bigint")
    return `a value of type ${typeof value}`;
  return String(value).slice(0, 64);
}
