import type { Rule, RuleText } from "./model/rule.js";
import { CATCH_ALLOWS, COMM_ALLOWS, INVERTED_VERIFICATION } from "./rules/allows.js";
import { ERRNO_SIGN, OBJECT_COMPARISON, OUT_OF_RANGE, TYPE_MISMATCH, TYPEOF } from "./rules/comparisons.js";
import {
  ASSIGNMENT_IN_CONDITION,
  CHAINED_COMPARISON,
  CONSTANT_CONDITION,
  INDEX_AS_CONDITION,
  NEGATED_OPERAND,
} from "./rules/conditions.js";
import {
  DUPLICATE_ATTACHMENT,
  MAP_DIGEST_KEY,
  MAP_KEY_MISSING,
  SCOPE_NEVER_MATCHES,
  UNUSED_NAME,
} from "./rules/configuration.js";
import { CONTRADICTION, SELF_COMPARISON, SHADOWED_RULE } from "./rules/contradictions.js";
import { UNKNOWN_GLOBAL } from "./rules/globals.js";
import { DENY_ERRNO, HELPER_ARGUMENTS, UNUSED_RESULT } from "./rules/helpers.js";
import { UNUSED_IMPORT } from "./rules/imports.js";
import { UNKNOWN_LABEL } from "./rules/labels.js";
import { FACT_CHANGED, FOR_IN_LIST, IN_LIST } from "./rules/lists.js";
import { MAP_KEY_IMPOSSIBLE, MAP_VALUE_IMPOSSIBLE } from "./rules/map-schemas.js";
import { COMPUTED_NAME, DIGEST_SPELLING } from "./rules/names.js";
import { NULLABLE_FACT } from "./rules/nullable.js";
import { DUPLICATE_CASE, DUPLICATE_KEY, FALLTHROUGH } from "./rules/repeats.js";
import { MISSING_RETURN, RETURN_NOT_INTEGER, RETURN_POSITIVE } from "./rules/returns.js";
import { STATE_LOST } from "./rules/state.js";
import { UNKNOWN_FACT, UNKNOWN_IN_SCAN } from "./rules/unknown-facts.js";
import { UNREACHABLE_CODE } from "./rules/unreachable.js";

/** The checks of each file of a policy. */
export const POLICY_RULES: readonly Rule[] = [
  UNREACHABLE_CODE,
  RETURN_NOT_INTEGER,
  RETURN_POSITIVE,
  MISSING_RETURN,
  INVERTED_VERIFICATION,
  UNUSED_RESULT,
  CATCH_ALLOWS,
  COMM_ALLOWS,
  COMPUTED_NAME,
  HELPER_ARGUMENTS,
  DENY_ERRNO,
  ERRNO_SIGN,
  TYPE_MISMATCH,
  OBJECT_COMPARISON,
  OUT_OF_RANGE,
  TYPEOF,
  DIGEST_SPELLING,
  UNKNOWN_LABEL,
  NULLABLE_FACT,
  SHADOWED_RULE,
  CONTRADICTION,
  SELF_COMPARISON,
  ASSIGNMENT_IN_CONDITION,
  CONSTANT_CONDITION,
  INDEX_AS_CONDITION,
  NEGATED_OPERAND,
  CHAINED_COMPARISON,
  IN_LIST,
  FOR_IN_LIST,
  FACT_CHANGED,
  DUPLICATE_CASE,
  DUPLICATE_KEY,
  FALLTHROUGH,
  STATE_LOST,
  UNKNOWN_GLOBAL,
  UNKNOWN_FACT,
  UNKNOWN_IN_SCAN,
  UNUSED_IMPORT,
];

/** All codes that only lint reports: of policies, then of configurations. */
export const LINT_RULES: readonly RuleText[] = [
  ...POLICY_RULES,
  SCOPE_NEVER_MATCHES,
  DUPLICATE_ATTACHMENT,
  UNUSED_NAME,
  MAP_DIGEST_KEY,
  MAP_KEY_MISSING,
  MAP_KEY_IMPOSSIBLE,
  MAP_VALUE_IMPOSSIBLE,
];
