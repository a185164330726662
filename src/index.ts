/** The library's face: what is not exported here is private. */
export { ERRNO, type ErrnoName, verdictName } from "./errno.js";
export { CountersignError, ERROR_CODES, type ErrorCode } from "./error.js";
export { HOOK_NAMES, HOOKS, type HookName } from "./hooks/catalogue.js";
