// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the strings are policies with templates
import { describe, expect, it } from "vitest";
import { numbers, seedOf } from "../support/damage.js";
import { ExploredPolicy, randomInput } from "../support/prove.js";

const seed = seedOf();
const INPUTS = 40;

/** Bodies of hooks that try to find out that they are explored, or to make the explorer prove what is not true. */
const BODIES: Readonly<Record<string, string>> = {
  "an object of a fact is the fact": "return Object(prog.type) === prog.type ? -1 : 0",
  "the prototype of a text": "return Object.getPrototypeOf(prog.name) === String.prototype ? 0 : -1",
  "Object.is of a text": 'return Object.is(prog.license, "Proprietary") ? 0 : -1',
  "Object.is of 0": "return Object.is(prog.insn_cnt, 0) ? 0 : -1",
  "Object.is of -0": "return Object.is(prog.insn_cnt * -1, -0) ? 0 : -1",
  "a product with 0": "return Object.is(prog.insn_cnt * 0 * -1, -0) ? 0 : -1",
  "1 divided by a number": "return 1 / -prog.insn_cnt === -Infinity ? 0 : -1",
  "the type of a text": 'return typeof prog.name === "string" ? 0 : -1',
  "the type of facts": 'return typeof prog === "object" && typeof prog.maps === "object" ? 0 : -1',
  "the type of bytes": 'return typeof prog.insns === "object" ? 0 : -1',
  "instanceof Object": "return prog instanceof Object ? 0 : -1",
  "instanceof Array": "return prog.maps instanceof Array ? 0 : -1",
  "instanceof String": "return prog.name instanceof String ? -1 : 0",
  "Array.isArray of a list": "return Array.isArray(prog.maps) ? 0 : -1",
  "Array.isArray of facts": "return Array.isArray(prog.effects) ? -1 : 0",
  "Object.keys of facts": 'return Object.keys(prog).includes("name") ? 0 : -1',
  "Object.keys of a symbol": "return Object.keys(prog.name).length === 0 ? 0 : -1",
  "Object.getOwnPropertyNames": "return Object.getOwnPropertyNames(prog.effects).length > 3 ? 0 : -1",
  "JSON.stringify of facts": 'return JSON.stringify(prog.effects).includes("true") ? 0 : -1',
  "JSON.stringify of a text": "return JSON.stringify(prog.name).length > 2 ? 0 : -1",
  "an error's stack": 'try { null.x; } catch (e) { return e.stack.includes("policy") ? 0 : -1 }',
  "an error's message": "try { null.x; } catch (e) { return e.message.length > 44 ? 0 : -1 }",
  "the error of a missing fact": 'try { return prog["na" + "mes"]; } catch { return 0 }',
  "a missing fact behind in": 'return "names" in prog ? prog.names : 0',
  "in with an inherited name": 'return "toString" in prog ? 0 : -1',
  "hasOwnProperty of facts": 'return prog.hasOwnProperty("name") ? 0 : -1',
  "constructor of a text": "return prog.name.constructor === String ? 0 : -1",
  "constructor of facts": "return prog.constructor === Object ? 0 : -1",
  "__proto__ of facts": "return prog.__proto__ === undefined ? 0 : -1",
  "a key that is a text": "return { xdp: 0, kprobe: -1 }[prog.type] ?? -2",
  "a key that is an inherited name": "return typeof ({ xdp: 0 })[prog.type] === 'function' ? -1 : 0",
  "a key in an array": "return [0, -1][prog.insn_cnt] ?? -2",
  "a set of facts": "return new Set([prog.name]).has(prog.name) ? 0 : -1",
  "a map of facts": "return new Map([[prog.name, 0]]).get(prog.name) ?? -1",
  "a weak set": "return new WeakSet([prog]).has(prog) ? 0 : -1",
  "the identity of facts": "return prog === prog && prog.maps === prog.maps ? 0 : -1",
  "the identity of the caller": "return current.container === current.container ? 0 : -1",
  "includes by identity": "return [prog].includes(prog) ? 0 : -1",
  arguments: "return (function () { return arguments.length })(prog) === 1 ? 0 : -1",
  "a function's name": 'const f = (a) => a; return f.name === "f" && f.length === 1 ? 0 : -1',
  "a deep recursion": "const f = (n) => (n === 0 ? 0 : f(n - 1)); try { return f(1e6) } catch { return -1 }",
  "a recursion of some depth": "const f = (n) => (n === 0 ? 0 : f(n - 1)); try { return f(400) } catch { return -1 }",
  "too much memory":
    "let s = 'x'; try { for (let i = 0; i < 40; i++) s += s; return s.length > 1 ? 0 : -1 } catch { return -2 }",
  "a text that is too long":
    "let s = 'x'; try { for (let i = 0; i < 40; i++) s += s } catch (e) { return e instanceof Error ? 0 : -1 } return -2",
  "finally after an error":
    "let n = 0; try { try { null.x } finally { n = 1 } } catch { return n === 1 ? 0 : -1 } return -2",
  "a catch that throws again": "try { try { throw 5 } catch (e) { throw e } } catch (e) { return -e }",
  "an error that finally passes on": "try { try { throw 7 } finally { prog.name } } catch (e) { return -e }",
  "an assignment to a constant": "const x = 1; try { x = 2; return 0 } catch { return -1 }",
  "a name before its declaration": "try { y; return 0 } catch { return -1 } let y = 1",
  "an endless loop": "for (;;) { try { prog.nothing } catch {} }",
  "many steps": "let n = 0; for (let i = 0; i < 20000; i++) n += 1; return n === 20000 ? 0 : -1",
  "a getter": "return { get x() { return prog.name } }.x === prog.name ? 0 : -1",
  "valueOf of its own": "return +{ valueOf: () => prog.insn_cnt } > 3 ? 0 : -1",
  "toString of its own": "return `${{ toString: () => prog.name }}` === 'a' ? 0 : -1",
  "Symbol.toPrimitive": "return { [Symbol.toPrimitive]: () => 1 } > 0 ? 0 : -1",
  "a class with a private name": "class A { #x = 1; static is(o) { return #x in o } } return A.is(prog) ? -1 : 0",
  "a generator": "return [...(function* () { yield prog.name })()][0] === 'a' ? 0 : -1",
  "a tagged template": "return ((s, x) => x)`${prog.name}` === 'a' ? 0 : -1",
  "a regular expression": "return /^a/.test(prog.name) ? 0 : -1",
  "a text as a regular expression": "return 'a'.match(prog.name) ? 0 : -1",
  localeCompare: "return prog.name.localeCompare('b') < 0 ? 0 : -1",
  "an order of texts": "return prog.name < 'b' ? 0 : -1",
  "the length of a text": "return prog.name.length === 0 ? 0 : -1",
  "a lone surrogate": "return prog.name === '\\ud800' ? 0 : -1",
  "sort by facts": "return [3, 1, 2].sort((a, b) => (prog.effects.redirects ? a - b : b - a))[0] === 1 ? 0 : -1",
  "a callback that gives facts": "return [1, 2].some(() => prog.name) ? 0 : -1",
  "a native as a callback": "return [prog.name].map(String)[0] === prog.name ? 0 : -1",
  "Boolean as a callback": "return [prog.name, prog.section].filter(Boolean).length === 2 ? 0 : -1",
  "a method that is taken": "const f = 'x'.includes; return f.call(prog.name, 'a') ? 0 : -1",
  "call of a function": "return ((x) => x).call(null, prog.name) === 'a' ? 0 : -1",
  "a large sum": "return prog.insn_cnt + Number.MAX_SAFE_INTEGER === Number.MAX_SAFE_INTEGER + 1 ? 0 : -1",
  "s + 1 === s": "const s = current.namespaces.net ?? 0; return s + 1 === s ? 0 : -1",
  "== of a number and a text": "return current.uid == '1000' ? 0 : -1",
  "== of a text and a number": "return prog.name == 0 ? 0 : -1",
  "== of a text and an object": "return prog.name == ['a'] ? 0 : -1",
  "a sum of a text and a number": "return prog.name + 1 === 'a1' ? 0 : -1",
  "a text minus a number": "return prog.name - 1 === -1 ? 0 : -1",
  NaN: "return current.uid === NaN || NaN === NaN ? -1 : 0",
  Infinity: "return current.uid < Infinity && -Infinity < current.uid ? 0 : -1",
  "a number that is not whole": "return current.uid === 0.5 ? -1 : 0",
  "a verdict that is a fact": "return current.uid",
  "a verdict below a fact": "return -current.uid",
  "a verdict that is a text": "return prog.name",
  "a verdict that is nothing": "return",
  "a verdict of a map": 'return map_lookup("program_budget", "x")',
  "a number of a map": 'const n = map_lookup("program_budget", "x"); return typeof n === "number" && n > 2 ? 0 : -1',
  "a fraction of a map": 'return map_lookup("program_budget", "x") === 0.5 ? 0 : -1',
  "a text of a map": 'return map_lookup("program_budget", "x") === prog.name ? 0 : -1',
  "a key of an object of a map": 'return map_lookup("program_budget", "x")?.toString ? 0 : -1',
  "__proto__ of an object of a map": 'return map_lookup("program_budget", "x")?.__proto__ ? 0 : -1',
  "an array of a map": 'const a = map_lookup("program_budget", "x"); return Array.isArray(a) && a.type ? -1 : 0',
  "keys that may be equal":
    'const a = map_lookup("program_budget", prog.name); const b = map_lookup("program_budget", current.comm); return prog.name === current.comm && a !== b ? -1 : 0',
  "== null of a map": 'return map_lookup("program_budget", "x") == null ? 0 : -1',
  "== of a map": 'return map_lookup("program_budget", "x") == 1 ? 0 : -1',
  "a denial that is caught": "try { throw deny('no') } catch (e) { return e }",
  "a denial with another errno": "return deny('no', current.uid)",
  "a denial by an errno of a map": 'return deny("no", map_lookup("program_budget", "x"))',
  "a denial with a dropped value": "const f = () => deny('no'); f(); return 0",
  "a denial in forEach": "const f = () => deny('no'); [1].forEach(f); return 0",
  "a denial in a list": "return [deny('a'), deny('b')].length === 2 ? -1 : 0",
  "a reason of facts": "return deny(`${prog.name} ${current.uid} ${prog.section} ${prog.effects.redirects}`)",
  "a reason that is an object": "return deny({})",
  "a keyring that is not known": "return verify_program(prog, prog.name)",
  "a signature that is no bytes": "return verify_signature(prog.name, prog.signature, 'platform', 'PKCS7')",
  "a program that is none": "return verify_program({ ...prog }, 'platform')",
  "a spread of facts": "return { ...prog.effects }.redirects ? -1 : 0",
  "a rest of facts": "const { name, ...rest } = prog; return rest.type === 'xdp' ? 0 : -1",
  "a loop over facts": "for (const x in prog) if (x === 'name') return 0; return -1",
  "an assignment to facts": "try { prog.name = 'x' } catch { return prog.name === 'x' ? 0 : -1 }",
  "delete of a fact": "try { delete prog.name } catch { return -1 } return 0",
  "a switch over a text":
    "switch (prog.type) { case 'xdp': case 'tc': return 0; default: return -1; case prog.name: return -2 }",
  finally: "try { return prog.name === 'a' ? 0 : -1 } finally { prog.section }",
  "a thrown fact": "try { throw prog.name } catch (e) { return e === 'a' ? 0 : -1 }",
  "a label": "a: { if (prog.name === 'a') break a; return -1 } return 0",
  "closures in a loop":
    "const f = []; for (let i = 0; i < 3; i++) f.push(() => i); return f[prog.effects.redirects ? 0 : 2]() === 2 ? 0 : -1",
  "default values": "const f = ({ name = 'x', type: t = 'y' } = prog) => name === t; return f() ? 0 : -1",
  "the namespace": "return cs.deny === deny ? 0 : -1",
  "a name that the namespace lacks": "try { return cs.nothing } catch { return 0 }",
  "typeof of no name": "return typeof nothing === 'undefined' ? 0 : -1",
  globalThis: "return typeof globalThis === 'undefined' ? 0 : -1",
  "the explorer's module": "return typeof $p === 'undefined' && typeof EXPLORER === 'undefined' ? 0 : -1",
  "the explorer's symbols": "return typeof Sym === 'undefined' ? 0 : -1",
};

const policyOf = (body: string) =>
  ExploredPolicy.of(
    'import * as cs from "countersign"; import { deny, map_lookup, verify_program, verify_signature } from "countersign";\n' +
      `export function bpf_prog_load(prog, current) { ${body} }`,
  );

describe(`policies that try to tell that they are explored (seed ${seed})`, () => {
  it.each(Object.entries(BODIES))("%s: not decided, or as the engine decides", (name, body) => {
    let policy: ExploredPolicy;
    try {
      policy = policyOf(body);
    } catch (error) {
      // The linker rejects it, so that no engine runs it
      expect(String(error)).toMatch(/POLICY_|CountersignError/);
      return;
    }
    const exploration = policy.explore("bpf_prog_load");
    expect(exploration.unfinished).toBeNull();
    expect(exploration.paths.length).toBeGreaterThan(0);
    for (const { status, ...rest } of policy.confirmations(exploration))
      expect(status === "contradicted" ? rest : null, name).toBeNull();
    const next = numbers(seed);
    const isAsked = !["an endless loop", "a deep recursion", "too much memory"].includes(name);
    for (let round = 0; isAsked && round < INPUTS; round++) {
      const flaw = policy.flaw(exploration, randomInput(exploration, next));
      expect(flaw === null ? null : `${flaw} (round ${round}, seed ${seed})`).toBeNull();
    }
    policy.close();
  });

  it("there are many, and some of them are decided", () => {
    expect(Object.keys(BODIES).length).toBeGreaterThan(100);
    const ends = Object.values(BODIES).flatMap((body) => {
      try {
        return policyOf(body)
          .explore("bpf_prog_load")
          .paths.map(({ end }) => end.kind);
      } catch {
        return [];
      }
    });
    for (const kind of ["verdict", "fault", "not decided"]) expect(ends).toContain(kind);
  });
});
