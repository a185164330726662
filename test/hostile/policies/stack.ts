import type { HostileCase } from "./case.js";

const outOfStack = (name: string, policy: string): HostileCase => ({ name, policy, fault: "OUT_OF_STACK" });

export const stack: readonly HostileCase[] = [
  outOfStack("calling itself", `const f = () => f() + 1; return f();`),
  outOfStack("calling each other", `const f = () => g() + 1, g = () => f() + 1; return f();`),
  outOfStack("calling itself through a native", `const f = () => [1].map(f); f(); return 0;`),
  outOfStack("calling itself through a getter", `const o = { get x() { return this.x; } }; return o.x;`),
  outOfStack(
    "calling itself through `toString`",
    `const o = { toString() { return "" + o; } }; return String(o).length;`,
  ),
  outOfStack("constructing itself", `class A { constructor() { new A(); } } new A(); return 0;`),
  outOfStack("a field that constructs its class", `class A { x = new A(); } new A(); return 0;`),
  outOfStack("a default parameter that calls", `const f = (a = f()) => a; return f();`),
  outOfStack("a comparator that sorts", `const f = () => [2, 1].sort(f).length; return f();`),
  outOfStack("catching it and answering", `const f = () => f() + 1; try { f(); } catch { return 0; } return 0;`),
  outOfStack("answering from `finally`", `const f = () => f() + 1; try { return f(); } finally { return 0; }`),
  outOfStack("catching it at every depth", `const f = () => { try { f(); } catch { f(); } }; f(); return 0;`),
  {
    name: "parsing JSON that is nested deep",
    policy: `return JSON.parse("[".repeat(1e5) + "]".repeat(1e5)).length;`,
    fault: "OUT_OF_STACK",
  },
  outOfStack(
    "writing JSON that writes JSON",
    `const o = { toJSON: () => JSON.stringify(o) }; return JSON.stringify(o).length;`,
  ),
  {
    name: "a regular expression that is nested deep",
    policy: `return new RegExp("(".repeat(1e5) + ")".repeat(1e5)).test("") ? 0 : -1;`,
    fault: "POLICY_ERROR",
  },
];
