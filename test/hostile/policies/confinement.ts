import { contained, type HostileCase } from "./case.js";

const readOnly = (name: string, attempt: string): HostileCase => ({
  name,
  policy: `${attempt}\n return 0;`,
  fault: "POLICY_ERROR",
  says: /TypeError/,
});

export const confinement: readonly HostileCase[] = [
  readOnly("a prototype cannot be patched", `Array.prototype.includes = () => true;`),
  readOnly("Object.prototype cannot be extended", `Object.prototype.polluted = 1;`),
  readOnly("a prototype's method cannot be deleted", `delete String.prototype.startsWith;`),
  readOnly(
    "a getter cannot be put on a prototype",
    `Object.defineProperty(Object.prototype, "verdict", { get: () => 0 });`,
  ),
  readOnly("JSON cannot be replaced", `JSON.parse = () => ({});`),
  readOnly("a prototype cannot get another", `Object.setPrototypeOf(Array.prototype, null);`),
  readOnly(
    "an iterator's prototype cannot be patched",
    `[].values().constructor; Object.getPrototypeOf([].values()).next = () => ({ done: true });`,
  ),
  readOnly("a generator's prototype cannot be patched", `Object.getPrototypeOf(function* () {}).prototype.next = 1;`),
  readOnly("a function's `call` cannot be replaced", `Object.getPrototypeOf(() => 1).call = () => 0;`),
  readOnly("the subject is frozen", `blob.name = "other";`),
  readOnly("the subject is frozen all the way down", `((it) => it.nested.list.push("c"))(blob);`),
  readOnly("bytes are frozen", `blob.data.length = 0;`),
  readOnly("`current` is frozen", `current.uid = 0;`),
  readOnly("a container's labels are frozen", `current.container.labels.tier = "edge";`),
  readOnly("`current` takes no new field", `current.verdict = 0;`),
  {
    name: "a helper cannot be replaced",
    policy: `import * as countersign from "countersign";
export function blob_verify() { countersign.verify_signature = () => 0; return 0; }`,
    fault: "POLICY_ERROR",
    says: /TypeError/,
  },
  {
    name: "a helper takes no property",
    policy: `import { deny } from "countersign";
export function blob_verify() { deny.count = 1; return 0; }`,
    fault: "POLICY_ERROR",
    says: /TypeError/,
  },
  {
    name: "an imported name cannot be assigned",
    policy: `import { deny } from "countersign";
export function blob_verify() { deny = () => 0; return 0; }`,
    fault: "POLICY_ERROR",
    says: /read-only/,
  },
  contained("an undeclared variable is none", `leaked = 1; escaped = true;`),
  contained(
    "a getter of `current` works on nothing else",
    `
    const { get } = Object.getOwnPropertyDescriptor(current, "uid"); escaped = get.call({}) !== current.uid;`,
  ),
];
