/** An attack of root on a sealed machine. */
export interface Attack {
  /** As the program that runs it is called. */
  readonly name: string;
  readonly does: string;
  /** The hook that stops it; `sysctl` is the attach type BPF_CGROUP_SYSCTL; null if none does. */
  readonly hook: string | null;
  /** Whether the permissions of a key stop it, for which the guard has no hook. */
  readonly permissions?: true;
  /** Why the guard denies it: enum guard_reason of guard/interface.h, in lower case without `GUARD_`. */
  readonly reason: string | null;
  /** Where the attack succeeds: without a guard, or against one that only audits. Null: it has no program. */
  readonly proof: "unguarded" | "audit" | null;
  /** The first kernel on which it can succeed at all, as in `7.2`. */
  readonly since?: string;
  /** Its program needs a generic kernel that UEFI has started: one with drivers of devices. */
  readonly on?: "generic";
  /** The first kernel that does not allow it, with or without a guard. */
  readonly until?: string;
  /** The test that tries it, test/system/seal/NAME.test.ts; null if none does. */
  readonly test: string | null;
  /** What the guard does not stop; null if nothing is known. */
  readonly remains: string | null;
}

/** The test that runs the programs of attacks. */
const TRIED = "attacks";

/** An attack that a hook of the guard stops. */
export const stopped = (
  name: string,
  hook: string,
  reason: string,
  does: string,
  more: Partial<Pick<Attack, "proof" | "remains" | "since" | "until" | "on">> = {},
): Attack => ({ name, does, hook, reason, proof: "unguarded", test: TRIED, remains: null, ...more });

/** Of an attack that the guard does not stop: where it has a program that succeeds, or what else tries it. */
type Trial = "unguarded" | "audit" | { readonly test: string | null };

/** What the guard does not stop. */
export const limit = (name: string, does: string, remains: string, trial: Trial): Attack => {
  const how = typeof trial === "string" ? { proof: trial, test: TRIED } : { proof: null, ...trial };
  return { name, does, hook: null, reason: null, ...how, remains };
};

/** An attack that permissions of a key stop. */
export const keyring = (name: string, does: string): Attack => {
  const how = { proof: "unguarded", test: TRIED, remains: null } as const;
  return { name, does, hook: null, permissions: true, reason: null, ...how };
};

/** Whether a guard is to hold an attack. */
export const isStopped = ({ hook, permissions }: Attack): boolean => hook !== null || permissions === true;
