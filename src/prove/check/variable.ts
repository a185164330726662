/** A variable of a policy. */
export interface Variable {
  value: unknown;
  readonly isConstant: boolean;
  /** Those that are declared later have larger numbers. */
  readonly number: number;
}

let last = 0;

export function declaredVariable(value: unknown, isConstant: boolean): Variable {
  last += 1;
  return { value, isConstant, number: last };
}

/** The number of the variable that was declared last. */
export function lastVariable(): number {
  return last;
}
