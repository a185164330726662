import { createContext, Script } from "node:vm";
import type { Current } from "../src/policy/model/current.js";
import type { Missing, Row } from "./row.js";

/**
 * The same decision, as each peer's own documentation says to ask for it at the least cost. Bytes do not cross to any.
 */
export async function peerRows(facts: string, current: (pid: number) => Current): Promise<(Row | Missing)[]> {
  const peers: [string, () => Promise<Row[]>][] = [
    ["node:vm, a native function", async () => nodeVm(facts)],
    ["isolated-vm, facts copied in", () => isolatedVm(facts, current)],
    ["casbin, cheapest attribute rule", () => casbin(facts)],
    ["cedar-wasm, preparsed", () => cedar(facts)],
  ];
  const rows: (Row | Missing)[] = [];
  for (const [name, make] of peers) {
    try {
      rows.push(...(await make()));
    } catch (error) {
      rows.push({ name, missing: (error as Error).message.split("\n")[0]! });
    }
  }
  return rows;
}

/** allow-unsigned-tc, as a plain function. */
const POLICY = `(prog) => {
  const verify = (data, signature) => (signature === null ? -61 : -126);
  if (verify(prog.insns, prog.signature) === 0) return 0;
  if (prog.effects.reads_kernel_memory) return -1;
  return prog.type === "sched_cls" ? 0 : -1;
}`;
const LABEL = `(prog, current) => (current.container?.labels.tier === "edge" ? 0 : -1)`;

function expect(verdict: unknown, wanted: unknown = 0): void {
  if (verdict !== wanted) throw new Error(`a peer's verdict is ${String(verdict)}`);
}

function nodeVm(facts: string): Row[] {
  const policy = new Script(POLICY).runInContext(createContext({}));
  const prog = JSON.parse(facts);
  return [
    {
      name: "node:vm, a native function",
      note: "no sandbox: what the language itself costs",
      run: () => expect(policy(prog)),
    },
  ];
}

async function isolatedVm(facts: string, current: (pid: number) => Current): Promise<Row[]> {
  const ivm = (await import("isolated-vm")).default;
  const context = new ivm.Isolate({ memoryLimit: 32 }).createContextSync();
  const [policy, text, label] = [POLICY, `(json) => (${POLICY})(JSON.parse(json))`, LABEL].map((code) =>
    context.evalSync(code, { reference: true }),
  );
  const prog = JSON.parse(facts);
  const copied = { arguments: { copy: true } };
  let pid = 1;
  return [
    { name: "isolated-vm, facts copied in", run: () => expect(policy.applySync(undefined, [prog], copied)) },
    { name: "isolated-vm, facts as JSON", run: () => expect(text.applySync(undefined, [facts])) },
    {
      name: "isolated-vm, `current` changing",
      note: "facts and `current` copied in",
      run: () => expect(label.applySync(undefined, [prog, current(pid++)], copied)),
    },
  ];
}

async function casbin(facts: string): Promise<Row[]> {
  const { newEnforcer, newModelFromString } = await import("casbin");
  const model = newModelFromString(`[request_definition]
r = sub
[policy_definition]
p = type
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.sub.type == p.type`);
  const enforcer = await newEnforcer(model);
  await enforcer.addPolicy("sched_cls");
  const prog = JSON.parse(facts);
  return [
    {
      name: "casbin, cheapest attribute rule",
      note: "one comparison, synchronous",
      run: () => expect(enforcer.enforceSync(prog), true),
    },
  ];
}

async function cedar(facts: string): Promise<Row[]> {
  const cedar = await import("@cedar-policy/cedar-wasm/nodejs");
  const parsed = cedar.preparsePolicySet("unsigned", {
    staticPolicies: `permit(principal, action, resource) when { !resource.effects.reads_kernel_memory && resource.type == "sched_cls" };`,
  });
  if (parsed.type !== "success") throw new Error(JSON.stringify(parsed));
  const attrs = JSON.parse(facts, (_, value) => (value === null ? undefined : value));
  const uid = (kind: string) => ({ type: kind, id: "x" });
  const entities = [{ uid: uid("Program"), attrs, parents: [] }];
  const request = {
    principal: uid("Task"),
    action: uid("Action"),
    resource: uid("Program"),
    context: {},
    preparsedPolicySetId: "unsigned",
    validateRequest: false,
    entities,
  };
  const run = () => {
    const answer = cedar.statefulIsAuthorized(request as never);
    expect(answer.type === "success" ? answer.response.decision : JSON.stringify(answer), "allow");
  };
  return [{ name: "cedar-wasm, preparsed", note: "the facts as attributes of one entity", run }];
}
