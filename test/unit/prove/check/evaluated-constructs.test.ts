// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the strings are policies with templates
import { expect, it } from "vitest";
import { certifiedPolicy, compareInputs } from "../../../support/certified-policy.js";
import { numbers } from "../../../support/damage.js";

const HEAD = `import { deny, hash, map_delete, map_lookup, map_update } from "countersign";
const RULES = { xdp: ["a", "b"], tc: ["c"] };
export function bpf_prog_load(prog, current) {
`;

const policyWith = (body: string) => `${HEAD}${body.replaceAll("'m'", "'program_budget'")}\n}\n`;

it.each([
  "for (const one of ['a', 'b']) { if (one === 'b') continue; if (prog.name === one) return -1; } return 0;",
  "for (const [key, of] of Object.entries(RULES)) if (prog.name === key && of.includes(prog.tag)) return -1; return 0;",
  "let found = 0; for (const one of ['a', 'b', 'c']) { if (prog.name === one) { found = 1; break; } } return -found;",
  "for (const one of [1, 2]) { switch (prog.insn_cnt) { case one: continue; case 9: return -1; } } return 0;",
  "return Object.keys(RULES).filter((one) => one !== prog.name).length === 2 ? 0 : -1;",
  "return Object.values(RULES).find(([one]) => one === prog.name)?.length === 1 ? 0 : -1;",
  "return ['a', 'b'].map((one) => one + '!')[['a', 'b'].indexOf(prog.name) + 1] === 'b!' ? 0 : -1;",
  "try { return current.container.labels.app === 'a' ? 0 : -1; } catch { return deny('no container'); }",
  "try { return undefined.x; } catch (error) { return -3; }",
  "const its = map_lookup('m', 'a'); return its?.type === 'a' ? 0 : -1;",
  "return RULES[prog.name] === undefined ? -1 : 0;",
  "return RULES[prog.name]?.includes('a') ? -1 : 0;",
  "const max = { xdp: 9 }[prog.name] ?? 4; return prog.insn_cnt > max ? -1 : 0;",
  "return prog.name.toLowerCase() === 'prod' || prog.license.trim() === '' ? -1 : 0;",
  "return 'A/b'.toLowerCase().split('/')[1] === prog.name ? -1 : 0;",
  "const [base, ext] = prog.name.split('.'); return ext === 'o' && base.length > 2 ? 0 : -1;",
  "return prog.name.split('/').length > 2 || prog.name.split('/').at(-1) === 'x' ? -1 : 0;",
  "return prog.name.split('/').pop() === 'tc' ? -1 : 0;",
  "return prog.name.startsWith(`${prog.license}-`) ? -1 : 0;",
  "return prog.name.includes(current.comm) ? -1 : 0;",
  "let n = 0; for (const { type } of prog.maps) if (type === 'hash') n++; return n > 2 ? deny(`${n} maps`) : 0;",
  "let n = 5; for (const one of prog.maps) n += one.max_entries; return n > 99 ? deny(`${n}`) : 0;",
  "let n = 0; for (const { type } of prog.maps) { if (type === 'arena') break; n = 1; } return 0;",
  "let name = ''; for (const one of prog.maps) if (one.type === 'arena') { name = one.name; break; } return deny(name);",
  "let has = false; for (const { type } of prog.maps) if (type === 'arena') has = true; return has ? -1 : 0;",
  "for (const one of prog.helpers) { if (one === 'x') return deny(one); } return 0;",
  "try { for (const one of prog.helpers) if (one === 'x') return undefined.x; } catch { return -3; } return 0;",
  "return prog.maps.reduce((sum, one) => sum + one.max_entries + 1, 0) > 40 ? -1 : 0;",
  "return prog.maps.find(({ type }) => type === 'arena')?.name === 'x' ? -1 : 0;",
  "return prog.insn_cnt * current.uid > 9 || prog.insn_cnt / 4 > 2.5 ? -1 : 0;",
  "return prog.insn_cnt > 1.5 ? deny(`${(prog.insn_cnt / 3).toFixed(2)} instructions`) : 0;",
  "const its = map_lookup('m', 'a'); return its >= 10 ? -1 : its < 2 ? -2 : 0;",
  "const its = map_lookup('m', 'a'); return its.includes('xdp') ? -1 : 0;",
  "const its = map_lookup('m', 'a'); return typeof its === 'object' ? deny(`${its}`) : 0;",
  "return map_update('m', 'a', { n: [prog.name, prog.insn_cnt + 1] }) === 0 ? 0 : -1;",
  "return map_delete('m', 'a') === 0 ? map_update('m', 'b', null) : -1;",
  "return hash('sha256', prog.insns) === 'x' || hash('sha512', prog.insns) === prog.name ? -1 : 0;",
])("%s has a certificate that is right about all inputs", { timeout: 60_000 }, (body) => {
  compareInputs(certifiedPolicy(policyWith(body)), numbers(1), 40);
});

it.each([
  "return Object.prototype === undefined ? 0 : -1;",
  "return Object.keys({ 2: 1, 1: 2 })[0] === '1' ? 0 : -1;",
  "try { return 0; } finally { RULES.xdp; }",
  "try { undefined.x; } catch (error) { return error.message === 'x' ? 0 : -1; } return 0;",
  "return RULES[prog.name]?.name === 'toString' ? -1 : 0;",
  "return RULES[prog.name]?.assign === undefined ? -1 : 0;",
  "return 'É'.toLowerCase() === prog.name ? -1 : 0;",
  "return prog.name.split('')[0] === 'a' ? -1 : 0;",
  "const parts = prog.name.split('/'); parts.pop(); return parts.length > 1 ? -1 : 0;",
  "let n = 0; for (const { type } of prog.maps) { if (type === 'arena') break; n++; } return n > 1 ? -1 : 0;",
  "let n = 0; for (const one of prog.maps) { if (n > 3) return -1; n++; } return 0;",
  "let [a, b] = [0, 0]; for (const one of prog.maps) { a++; b = a; } return b > 1 ? -1 : 0;",
  "let n = 0; for (const one of prog.maps) n = n * 2 + 1; return n > 1 ? -1 : 0;",
  "return prog.maps.some((one) => deny(one.name) === -1) ? -1 : 0;",
  "for (const one of prog.maps) map_update('m', one.name, 1); return 0;",
  "const f = () => { n++; }; let n = 0; for (const one of prog.maps) f(); return n > 1 ? -1 : 0;",
  "const rc = map_update('m', 'a', 1); return map_lookup('m', 'a') === 1 ? rc : -1;",
  "return map_update('m', 'a', { toJSON: () => 1 }) === 0 ? 0 : -1;",
  "return prog.name === `${prog.insn_cnt.toFixed(1)}` ? -1 : 0;",
  "return (0 / 0).toFixed(1) === 'NaN' ? -1 : prog.insn_cnt === 1 ? -2 : 0;",
  "return [0 / 0].includes(0 / 0) ? -1 : 0;",
])("%s has none", (body) => {
  expect(() => certifiedPolicy(policyWith(body))).toThrow(expect.objectContaining({ code: "PROOF_UNSUPPORTED" }));
});
