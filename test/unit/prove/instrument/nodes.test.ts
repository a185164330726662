// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the strings are policies with templates
import { describe, expect, it } from "vitest";
import { EXPRESSIONS } from "../../../../src/prove/instrument/expressions.js";
import { NODE_TREATMENTS } from "../../../../src/prove/instrument/nodes.js";
import { STATEMENTS } from "../../../../src/prove/instrument/statements.js";
import { numbers, seedOf } from "../../../support/damage.js";
import { ExploredPolicy, randomInput } from "../../../support/prove.js";

/** For each kind of node that a policy can evaluate, a body of a hook with it, on facts and on constants. */
const BODIES: Readonly<Record<string, readonly string[]>> = {
  EmptyStatement: [";; return 0"],
  BlockStatement: ["{ { return 0 } }"],
  ExpressionStatement: ["prog.name; 1; return 0"],
  IfStatement: ["if (prog.effects.redirects) return 0; else return -1"],
  LabeledStatement: ["a: { b: { if (prog.rewritten) break a; } return -1 } return 0"],
  BreakStatement: ["a: for (;;) for (;;) { if (prog.gpl_compatible) break; break a; } return 0"],
  ContinueStatement: [
    "let n = 0; a: for (const x of [1, 2, 3]) for (const y of [1, 2]) { if (y === x) continue a; n -= y } return n",
  ],
  SwitchStatement: [
    "switch (prog.type) { default: return 0; case 'xdp': case 'lsm': { break } case 'ext': return -2 } return -1",
  ],
  ReturnStatement: ["return 0"],
  ThrowStatement: ["throw prog.name"],
  TryStatement: ["try { null.x } catch { return -1 } finally { prog.name } return 0"],
  WhileStatement: ["let n = 0; while (n < 3) n += prog.effects.redirects ? 1 : 2; return -n"],
  DoWhileStatement: ["let n = 0; do n++; while (n < 3); return -n"],
  ForStatement: ["let n = 0; for (let i = 0, j = 5; i < j; i++, j--) n += i; return -n"],
  ForInStatement: ["let n = 0; for (const x in { a: 1 }) n += 1; return -n"],
  ForOfStatement: ["let n = 0; for (const [x, { y = 2 }] of [[1, {}], [2, { y: 5 }]]) n += x * y; return -n"],
  FunctionDeclaration: ["return f(prog); function f({ type }) { return type === 'xdp' ? 0 : -1 }"],
  VariableDeclaration: [
    "var a = 1, [b, , c = 3, ...d] = [1, 2, undefined, 4, 5]; let e; const { f: { g } } = { f: { g: 2 } };" +
      " return -(a + b + c + d.length + g)",
  ],
  ClassDeclaration: ["class A {} return 0"],
  ClassExpression: ["const A = class {}; return 0"],
  ThisExpression: ["return (function () { return this === undefined ? 0 : -1 })()"],
  ArrayExpression: ["return -[1, ...[2, 3], prog.name].length"],
  ObjectExpression: ["const a = { b: 1, ['c']: 2, d() { return 3 }, ...{ e: 4 } }; return -(a.b + a.c + a.d() + a.e)"],
  SpreadElement: ["return Math.min(...[-1, 0])"],
  FunctionExpression: ["return (function f(n) { return n === 0 ? 0 : f(n - 1) })(3)"],
  ArrowFunctionExpression: ["return ((x, ...y) => x - y.length)(0, 1, 2)"],
  UnaryExpression: [
    "return !prog.rewritten && typeof prog.name === 'string' && void 0 === undefined ? -1 : +0",
    "return ~0",
    "delete {}.x; return 0",
  ],
  UpdateExpression: ["let n = 0; n++; ++n; const a = n--; return -(a + n)", "const a = { n: 1 }; a.n++; return -a.n"],
  BinaryExpression: [
    "return prog.insn_cnt + 1 > 5 && prog.insn_cnt * 2 <= 100 ? 0 : -1",
    "return 7 % 4 - 2 ** 2 - (5 & 3) - (1 << 3)",
    "return 'a' in { a: 1 } ? 0 : -1",
  ],
  LogicalExpression: ["return (prog.section ?? prog.attach_to ?? '') === 'x' || (prog.rewritten && 1) ? 0 : -1"],
  AssignmentExpression: [
    "let a = 1; a += 2; a *= 2; a ||= 5; a &&= 7; a ??= 1; const o = {}; o.x = a; return -o.x",
    "let a, b; [a, b] = [1, 2]; return -a",
  ],
  ConditionalExpression: ["return prog.rewritten ? 0 : -1"],
  MemberExpression: ["return prog.effects['read' + '_only'] ? 0 : -1"],
  CallExpression: ["return ['a', 'b'].includes(prog.name) ? 0 : -1"],
  ChainExpression: [
    "return current.container?.labels?.tier?.startsWith('e') ? 0 : -1",
    "const f = null; return f?.(1) ?? -1",
  ],
  NewExpression: [
    "return new Set(['xdp', 'lsm']).has(prog.type) ? 0 : -1",
    "return new Array(3).length === 3 ? 0 : -1",
  ],
  SequenceExpression: ["return (prog.name, 0)"],
  TemplateLiteral: ["return deny(`${prog.name} and ${1 + 1}`)"],
  TaggedTemplateExpression: ["return String.raw`a` === 'a' ? 0 : -1"],
  YieldExpression: ["return [...(function* () { yield 1 })()].length === 1 ? 0 : -1"],
  ObjectPattern: ["const { name: a, effects: { redirects: b } } = prog; return b && a === 'x' ? 0 : -1"],
  ArrayPattern: ["const [a, b = 2] = [1]; return -(a + b)"],
  AssignmentPattern: ["const f = (a = prog.name) => a === 'x'; return f() ? 0 : -1"],
  RestElement: ["const [, ...a] = [1, 2, 3]; return -a.length"],
  Identifier: ["return prog === undefined || NaN === NaN ? -1 : 0"],
  Literal: [
    "return 0x10 === 16 && 'a\\u0062' === 'ab' && 1n < 2n && null === null ? 0 : -1",
    "return /a/.test('a') ? 0 : -1",
  ],
};

const seed = seedOf();
const ROUNDS = process.env.COUNTERSIGN_NIGHTLY === "1" ? 500 : 4;
const policyOf = (body: string) =>
  ExploredPolicy.of(`import { deny } from "countersign";\nexport function bpf_prog_load(prog, current) { ${body} }`);

describe("the treatment of syntax nodes", () => {
  it("has an entry in a table for each node that is rewritten or kept, and none for one that is not decided", () => {
    const PARTS = new Set([
      "Program",
      "ObjectPattern",
      "ArrayPattern",
      "AssignmentPattern",
      "RestElement",
      "SpreadElement",
    ]);
    for (const [type, treatment] of Object.entries(NODE_TREATMENTS)) {
      const isWritten = Object.hasOwn(STATEMENTS, type) || Object.hasOwn(EXPRESSIONS, type);
      const isExpected = (treatment === "rewritten" || treatment === "kept") && !PARTS.has(type);
      expect(isWritten, type).toBe(isExpected);
    }
  });

  it("is tried for each node that a policy can evaluate", () => {
    const MODULE = /^(?:Import|Export|Program|Parenthesized)/;
    const tried = Object.entries(NODE_TREATMENTS).filter(
      ([, treatment]) => treatment !== "part" && treatment !== "rejected",
    );
    for (const [type] of tried) if (!MODULE.test(type)) expect(Object.keys(BODIES), type).toContain(type);
  });

  it.each(Object.entries(BODIES).flatMap(([type, bodies]) => bodies.map((body) => [type, body] as const)))(
    `%s: the engine decides as explored, or it is not decided: %s (seed ${seed})`,
    (type, body) => {
      const policy = policyOf(body);
      const exploration = policy.explore("bpf_prog_load");
      for (const { wrong, ...rest } of policy.confirmations(exploration))
        expect(wrong === null ? null : { wrong, rest }).toBeNull();
      if (NODE_TREATMENTS[type as keyof typeof NODE_TREATMENTS] === "not decided")
        for (const { end } of exploration.paths) expect(end.kind).toBe("not decided");
      const next = numbers(seed);
      for (let round = 0; round < ROUNDS; round++)
        expect(policy.flaw(exploration, randomInput(exploration, next))).toBeNull();
      policy.close();
    },
  );
});
