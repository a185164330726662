import { describe, expect, it } from "vitest";
import { roleOf } from "../../../src/bpf/object/section.js";
import { GUARD_HOOKS } from "../../../src/seal/guard/hooks.js";
import { whyNever } from "../../../src/seal/guard/never.js";
import type { ListEntry } from "../../../src/seal/list/list-entry.js";
import { returningEntry, withLoads } from "./guard/described-programs.js";
import { Loads } from "./guard/sealed-loads.js";
import type { SealKernel } from "./guests/seal-kernels.js";
import { testedKernels } from "./guests/tested-kernels.js";

const HOOKS = GUARD_HOOKS.map(({ hook }) => hook).filter((hook) => hook !== "sysctl");
/** The function of security/security.c that calls a hook, without `security_`. */
const functionOf = (hook: string) => (hook === "bprm_check_security" ? "bprm_check" : hook);

const FMOD_RET = { kind: "fmod_ret", progType: 26, expectedAttachType: 26 };
const LSM = { kind: "lsm", progType: 29, expectedAttachType: 27 };
const LSM_CGROUP = { kind: "lsm_cgroup", progType: 29, expectedAttachType: 43 };

/** Programs that `loads never` loads for each hook: `r0 = value; exit` of these types. */
const FORMS = [
  ...[-1, 0, 1].map((value) => ({ ...FMOD_RET, value })),
  { ...LSM, value: 0 },
  ...[0, 1].map((value) => ({ ...LSM_CGROUP, value })),
];

const targetOf = ({ kind }: (typeof FORMS)[number], hook: string) =>
  kind === "fmod_ret" ? `security_${functionOf(hook)}` : `bpf_lsm_${hook}`;
const nameOf = ({ kind, value }: (typeof FORMS)[number], hook: string) => `${kind} ${value} ${hook}`;
const everything = (outcome: string) =>
  Object.fromEntries(HOOKS.flatMap((hook) => FORMS.map((form) => [nameOf(form, hook), outcome])));

/** The list has every one of these programs, so that nothing but the rule can deny them. */
function entries(ids: ReadonlyMap<string, number>): ListEntry[] {
  return HOOKS.flatMap((hook) =>
    FORMS.map((form) => {
      const { value, progType, expectedAttachType } = form;
      return returningEntry(value, { progType, expectedAttachType, attachBtfId: ids.get(targetOf(form, hook))! });
    }),
  );
}

interface Boots {
  readonly open: Loads;
  readonly sealed: Loads;
  readonly audit: Loads;
}

const booted = new Map<SealKernel, Boots | string>();

function boots(kernel: SealKernel): Boots | string {
  const known = booted.get(kernel);
  if (known !== undefined) return known;
  const found = withLoads((file) => {
    const names = new Set(HOOKS.flatMap((hook) => FORMS.map((form) => targetOf(form, hook))));
    const load = `loads never ${HOOKS.map((hook) => `${hook} ${functionOf(hook)}`).join(" ")}`;
    const open = Loads.run(kernel, file, `loads ids ${[...names].join(" ")}; ${load}`);
    if (typeof open === "string") return open;
    const listed = entries(open.ids);
    const seal = "loader --log /lib/guard.image";
    const sealed = Loads.run(kernel, file, `${seal} && ${load}`, { entries: listed });
    const audit = Loads.run(kernel, file, `${seal} && loads on-guard`, { entries: [], mode: "audit" });
    return typeof sealed === "string" ? sealed : typeof audit === "string" ? audit : { open, sealed, audit };
  });
  booted.set(kernel, found);
  return found;
}

describe("programs that can undo the guard", () => {
  it.each(HOOKS)("are in no list that `seal build` makes, for %s", (hook) => {
    const reasons = FORMS.map((form) => {
      const { type, expectedAttachType } = roleOf(`${form.kind}/${hook}`);
      const target = targetOf(form, hook).replace("bpf_lsm_", "");
      return whyNever({ type, expected_attach_type: expectedAttachType as never, attach_to: target, helpers: [] });
    });
    expect(reasons).not.toContain(null);
  });
});

describe.for(testedKernels())("programs that can undo the guard, on %s", (kernel) => {
  it("can be loaded for each of its hooks where there is no guard", ({ skip }) => {
    const found = boots(kernel);
    if (typeof found === "string") return skip(found);
    expect(Object.fromEntries(found.open.outcomes)).toEqual(everything("loaded"));
  });

  it("are denied even if the list has them", ({ skip }) => {
    const found = boots(kernel);
    if (typeof found === "string") return skip(found);
    const outcomes = new Map([...found.sealed.outcomes].filter(([name]) => /^(?:fmod_ret|lsm)/.test(name)));
    expect(Object.fromEntries(outcomes)).toEqual(everything("never"));
  });

  it("are denied if they attach to a program of the guard", ({ skip }) => {
    const found = boots(kernel);
    if (typeof found === "string") return skip(found);
    const outcomes = ["fentry", "fexit", "freplace"].map((kind) =>
      found.audit.outcomes.get(`${kind} on a program of the guard`),
    );
    // under audit the kernel goes on, and finds that the program attaches to no function
    expect(outcomes).toEqual(["EINVAL never", "EINVAL never", "EINVAL never"]);
  });
});
