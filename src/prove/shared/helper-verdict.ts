const VERDICT = /^(?:verify_\w+|map_update|map_delete)\(/;

/** Whether a symbol is what a helper returns that gives 0 or a negative errno. */
export function isHelperVerdict(name: string): boolean {
  return VERDICT.test(name);
}
