// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the strings are policies with templates
import { ExploredPolicy } from "./prove.js";

/** Bodies of hooks that try to find out that they are explored, or to make the explorer prove what is not true. */
export const HOSTILE_BODIES: Readonly<Record<string, string>> = {
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
  "JSON.stringify of an inherited toJSON":
    "return JSON.stringify({ __proto__: { toJSON: () => prog.name } }) === '\"a\"' ? 0 : -1",
  "JSON.stringify of a getter": "return deny(JSON.stringify({ get a() { return prog.name } }))",
  "JSON.stringify of a circle":
    "const a = { n: prog.name }; a.a = a; try { return JSON.stringify(a) ? 0 : -1 } catch { return -2 }",
  "JSON.stringify of a set": "return deny(JSON.stringify(new Set([prog.name])))",
  "JSON.stringify of a bigint": "try { return JSON.stringify([prog.name, 1n]) ? 0 : -1 } catch { return -2 }",
  "JSON.stringify of an error": "try { null.x } catch (e) { return deny(JSON.stringify([prog.name, e])) }",
  "JSON.stringify with a replacer": "return deny(JSON.stringify([prog.name], () => 1))",
  "JSON.stringify of one half of a character":
    "return prog.name === '\\ud83d' ? deny(JSON.stringify(prog.name + '\\ude00')) : 0",
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
  "the first statement is the one that is found":
    "const [one] = prog.statements; return one && verify_program(prog, 'platform') === 0 && one === cs.statement_of(prog, 'platform') ? 0 : -1",
  "a statement of no statements":
    "return prog.statements[0] === undefined && cs.statement_of(prog, 'platform') !== null ? 0 : -1",
  "a hole of an array": "return [1, , 3].filter((x) => x === undefined).length === 0 ? 0 : -1",
  "holes beside a spread": "return [...[1], , ...[3]].filter((x) => x === undefined || prog.rewritten).length",
  "arguments of a method of null": "let n = 0; try { null.x((n = 1)) } catch {} return -n",
  "arguments of a method that is none": "let n = 0; try { ({}).x((n = 1)) } catch {} return -n",
  "arguments of a method of a value of a map":
    "let n = 0; try { map_lookup('program_budget', 'x').y((n = 1)) } catch {} return -n",
  "arguments that replace the method": "const o = { m: () => -1 }; return o.m((o.m = () => -2))",
  "arguments that replace the object": "let a = [1]; return -a.concat((a = [1, 2, 3]))[0] - a.length",
  "arguments that change the array": "const a = [1, 2, 3]; return -a.concat(a.pop()).length",
  "arguments that change a filter":
    "const a = ['a', 'b', 'c', 'd', 'e'].filter((x) => x !== prog.name); return -a.concat(a.pop()).length",
  "arguments of an optional method": "let n = 0; prog.section?.startsWith(((n = 1), 'a')); return -n",
  "arguments that throw before a fact is missing":
    "const f = () => { throw 1 }; try { prog['nofa' + 'ct'](f()) } catch { return -1 } return -2",
  "a signature type that does not exist":
    "try { return verify_signature(prog.insns, prog.signature, 'platform', 'constructor' + '') } catch { return -1 }",
  "a signature type that is a fact":
    "try { return verify_signature(prog.insns, prog.signature, 'platform', prog.name) } catch { return -1 }",
  "an element with another part of the first one":
    "const f = prog.maps.filter((m) => m.name === 'a'); return prog.maps.find((m) => f[0]?.type === m.type)?.name === 'edge' ? -1 : -2",
  "the object that a function is called for":
    "const f = function (x) { n -= this.k * x }; let n = 0; [1, 2].forEach(f, { k: 5 }); return n",
  "the object that a function is called for by a denial":
    "const f = function () { return deny('a', this.e) }; [1].forEach(f, { e: 3 }); return 0",
  "the object that a function is called for in a list":
    "const f = function (m) { return m.name === this.name }; return prog.maps.some(f, { name: 'a' }) ? -1 : 0",
  "a method without its object":
    "const o = { m() { return this === undefined ? -1 : -2 } }; const { m } = o; return m()",
  "a pattern whose default value makes the array longer":
    "const a = []; const [x = a.push(5, 6), y] = a; return y === undefined ? -1 : -2",
  "a pattern with a rest whose default value makes the array longer":
    "const a = []; const [x = a.push(5, 6), ...y] = a; return -1 - y.length",
  "a pattern whose default value changes the array":
    "const a = [undefined, 1]; const [x = (a[1] = 9), y] = a; return -y",
  "a pattern of a filter whose default value changes it":
    "const a = ['a', 'b', 'c', 'd', 'e'].filter((x) => x !== prog.name); const [x = 1, y = a.push(7), ...z] = a; return -z.length - 1",
  "a pattern with a hole whose default value changes the array":
    "const a = [undefined]; const [x = a.push(5, 6, 7), , y] = a; return y === 6 ? -1 : -2",
  "the order of what is spread":
    "const a = [1]; const f = () => { a.push(2); return 3 }; return [...a, f(), ...a].join() === '1,3,1,2' ? 0 : -1",
  "a spread of a text": "return [...'ab', prog.name].length === 3 ? 0 : -1",
  "a spread of nothing": "try { return [...prog.signature].length } catch { return -1 }",
  "a spread of a list": "return [...prog.maps].length === prog.maps.length ? 0 : -1",
  "a spread of a list that is changed":
    "const a = [...prog.maps]; a.push(1); return a.length === prog.maps.length ? -1 : 0",
  "a spread of a list as arguments": "return Math.max(...prog.maps) > 0 ? 0 : -1",
  "the order of names in for in":
    "const o = { b: 1, 1: 2, a: 3, 0: 4 }; let t = ''; for (const k in o) t += k; return t === '01ba' ? 0 : -1",
  "for in with a name of its prototype": "let n = 0; for (const k in { __proto__: null, a: 1 }) n += 1; return -n",
  "for in over null": "for (const k in prog.section) return -1; return 0",
  "for in over an array that changes":
    "const a = [1, 2, 3]; let n = 0; for (const i in a) { a.pop(); n += 1 } return -n",
  "for in over an object that grows": "const o = { a: 1 }; let n = 0; for (const k in o) { o.b = 2; n += 1 } return -n",
  "for in that assigns": "let k; for (k in prog.effects) ; return k === 'read_only' ? 0 : -1",
  "for in with an effect of the body": "let n = 0; for (const k in prog.effects) if (k.length > 9) n += 1; return -n",
  "toString of an element that is joined": "return [{ toString: () => 'a' }, prog.name].join() === 'a,' ? 0 : -1",
  "a join without a separator": "return prog.helpers.join(undefined) === 'a' ? 0 : -1",
  "a join by a number": "return prog.helpers.join(1) === 'a' ? 0 : -1",
  "the elements of a filter are the same": "return prog.maps.filter(Boolean)[0] === prog.maps[0] ? 0 : -1",
  "a filter is another array": "const f = (x) => true; return prog.maps.filter(f) === prog.maps ? -1 : 0",
  "a filter of a list that keeps itself": "return prog.maps.filter((m, i, all) => all === prog.maps).length",
  "a filter by a set that changes":
    "const s = new Set(); return prog.helpers.filter((h) => !s.has(h) && s.add(h)).length === prog.helpers.length ? 0 : -1",
  "a filter by an array that it changes":
    "const a = []; return prog.helpers.filter((h) => { a.push(h); return a.length < 2 }).length === 1 ? -1 : 0",
  "a filter by a property that it changes":
    "const o = {}; return ['a', 'b', 'c', 'd'].filter((x) => { o.n = (o.n ?? 0) + 1; return o.n > 2 && prog.rewritten }).length",
  "a filter that denies": "return ['a', 'b', 'c', 'd'].filter((x) => deny(x) === -1).length === 4 ? -1 : 0",
  "values of facts as a key": "return ({ true: -1, false: 0 })[Object.values(prog.effects)[0]] ?? -2",
  "values of facts as numbers": "return Object.values(prog.effects)[0] + 1 === 2 ? 0 : -1",
  "values of facts are the facts":
    "return Object.values(prog.effects)[0] === prog.effects.reads_kernel_memory ? 0 : -1",
  "values of facts that are thrown": "try { throw Object.values(prog.effects)[0] } catch (e) { return e ? 0 : -1 }",
  "a value of facts as the verdict": "return Object.values(prog.effects)[0]",
  "a value of facts in a set": "return new Set(Object.values(prog.effects)).has(true) ? 0 : -1",
  "entries of facts of the subject": "return Object.entries(prog).length > 3 ? 0 : -1",
  "a rest of a list that is changed": "const [a, ...b] = prog.maps; b.push(1); return b.length === 1 ? 0 : -1",
  "a slice from a negative index": "return prog.maps.slice(-1).length === 0 ? 0 : -1",
  "settings of other types":
    "return prog.statements.some((s) => s.settings.length === 1 && s.settings[0].value > 'a') ? 0 : -1",
  "an index that is a text": "return prog.maps['0'] === undefined && prog.maps['00'] === undefined ? 0 : -1",
  "an index that is -0": "return prog.maps[-0]?.name === 'a' ? 0 : -1",
  "an index that is a fraction": "return prog.maps[0.5] === undefined ? 0 : -1",
  "at(0) with a fraction": "return prog.maps.at(0.5)?.name === 'a' ? 0 : -1",
  "at without an index": "return prog.maps.at()?.name === 'a' ? 0 : -1",
  "the index of an element that is no index": "return 0 in prog.maps ? 0 : -1",
  "an element of a list that a map has": "return map_lookup('program_budget', 'x')?.[0] === undefined ? 0 : -1",
  "a pattern with a value that is no list": "try { const [a] = prog.effects; return a ? 0 : -1 } catch { return -2 }",
  "a pattern of null": "try { const [a] = prog.signature; return a ? 0 : -1 } catch { return -2 }",
  "an assignment to an element": "try { prog.maps[0] = 1; return 0 } catch { return -1 }",
  "an object that a loop freezes":
    "const o = { x: 0 }; prog.maps.forEach(() => { Object.freeze(o); }); try { o.x = 1 } catch { return -1 } return 0",
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
  "a text that begins with a container's name":
    "return current.exe.startsWith(`/bin/${current.container?.name}/`) ? -1 : 0",
  "a text that begins with itself":
    "return prog.name.startsWith(`${prog.name}`) && `${prog.name}`.endsWith(prog.name) ? 0 : -1",
  "a text that is longer than itself":
    "return prog.name === `${prog.name}${prog.license}` ? (prog.license === '' ? 0 : -1) : -2",
  "a text around itself": "return `${prog.name}a` === `a${prog.name}` ? (/^a*$/.test(prog.name) ? -1 : -3) : 0",
  "halves of a surrogate pair":
    "return `${prog.name}\\ude00` === '\\ud83d\\ude00' ? (prog.name.length === 1 ? -1 : -2) : 0",
  "a number at the end of a text": "return `${prog.insn_cnt}1` === `${prog.insn_cnt}` ? -1 : 0",
  "two numbers in a row": "return `${prog.insn_cnt}${current.pid}` === '12' ? (prog.insn_cnt === 1 ? -1 : -2) : 0",
  "a negative zero of a map as text": "return `${map_lookup('debug_read_only', 'a')}` === '-0' ? -1 : 0",
  "an array of a map as text": "return prog.name.startsWith(map_lookup('debug_read_only', 'a')) ? -1 : 0",
  "a text that begins with undefined": "return prog.name.startsWith() ? -1 : prog.name.includes(null) ? -2 : 0",
  "a text that begins with an object": "return prog.name.startsWith({ toString: () => 'a' }) ? -1 : 0",
  "a text that begins with a pattern": "try { return prog.name.startsWith(/a/) ? -1 : 0 } catch { return -2 }",
  "a text that begins somewhere": "return prog.name.startsWith(prog.license, 1) ? -1 : 0",
  "a text without a method": "try { return prog.name.push(1) } catch { return -2 }",
  "an empty text that is put together": "return `${prog.name}${prog.license}` ? 0 : prog.name === '' ? -1 : -2",
  "keys that are put together":
    "const at = (key) => map_lookup('debug_read_only', key); return at(`${prog.name}/a`) === at(`${prog.name}/a`) ? (at(`a${prog.name}`) === at(`${prog.name}a`) ? -1 : -2) : 0",
  "white space that is none in JavaScript":
    "return prog.name.trim() === '\\u200b' ? -1 : prog.name.trim() === '\\ufeff' ? -2 : 0",
  "a part of half a character":
    "return prog.name.slice(0, 1) === '\\ud83d' ? (prog.name.slice(1) === '\\ude00' ? -1 : -2) : 0",
  "the last part of a text without separators":
    "return prog.name.slice(prog.name.lastIndexOf('.') + 1) === prog.name ? (prog.name.includes('.') ? -1 : -2) : 0",
  "what is before a separator that is not there":
    "return prog.name.slice(0, prog.name.lastIndexOf('.')) === 'a' ? (prog.name === 'ab' ? -1 : -2) : 0",
  "substring before a separator that is not there":
    "return prog.name.substring(0, prog.name.indexOf('.')) === '' ? (prog.name === 'ab' ? -1 : -2) : 0",
  "a place in another text": "return prog.name.slice(prog.license.lastIndexOf('.') + 1) === 'a' ? -1 : 0",
  "slice with minus zero": "return prog.name.slice(-0, 1) === 'a' ? -1 : prog.name.slice(0, -0) === '' ? -2 : 0",
  "slice with places that cross": "return prog.name.slice(2, 1) === '' && prog.name.substring(2, 1) === 'b' ? -1 : 0",
  "slice from the end of a short text":
    "return prog.name.slice(-5, -1) === 'a' ? (prog.name.length === 2 ? -1 : -2) : 0",
  "slice without arguments": "return prog.name.slice() === prog.name && prog.name.substring() === prog.name ? 0 : -1",
  "slice with other types": "return prog.name.slice(null, '1') === 'a' ? -1 : prog.name.slice(NaN) === 'a' ? -2 : 0",
  "a method of a text as a value": "const { trim } = prog.name; return trim === String.prototype.trim ? 0 : -1",
  "parts of a text after pop":
    "const parts = prog.name.split('.'); const last = parts.pop(); return last === parts.pop() ? -1 : 0",
  "the first part after pop": "const parts = prog.name.split('.'); parts.pop(); return parts[0] === undefined ? -1 : 0",
  "a list that pop shortens in a loop":
    "const parts = prog.name.split('.'); return prog.maps.some(() => parts.pop() === 'a') ? -1 : parts[0] === 'a' ? -2 : 0",
  "parts without a separator": "return prog.name.split('.')[0] === prog.name ? (prog.name.includes('.') ? -1 : -2) : 0",
  "the length of a text and of a list of a map":
    "const value = map_lookup('debug_read_only', 'a'); return value?.length === 1 ? (typeof value === 'string' ? -1 : Array.isArray(value) ? -2 : -3) : 0",
  "a character after the end":
    "return prog.name[2] === undefined ? (prog.name.charAt(2) === '' ? -1 : -2) : prog.name.length > 2 ? 0 : -3",
  "an own key that is a part of a text":
    "return Object.hasOwn({ a: 1, toString: 2 }, prog.name.slice(0, 8)) ? ({ a: 1, toString: 2 })[prog.name.slice(0, 8)] * -1 : 0",
  "an inherited key that is a part of a text": "return Object.hasOwn({}, prog.name.trim()) ? -1 : 0",
  "a trimmed text that is compared with itself": "return prog.name.trim().trim() === prog.name.trim() ? 0 : -1",
  "a length that is a number of a program":
    "return prog.name.length === prog.insn_cnt ? (prog.name === '' ? -1 : -2) : 0",
  "a getter": "return { get x() { return prog.name } }.x === prog.name ? 0 : -1",
  "valueOf of its own": "return +{ valueOf: () => prog.insn_cnt } > 3 ? 0 : -1",
  "toString of its own": "return `${{ toString: () => prog.name }}` === 'a' ? 0 : -1",
  "Symbol.toPrimitive": "return { [Symbol.toPrimitive]: () => 1 } > 0 ? 0 : -1",
  "a class with a private name": "class A { #x = 1; static is(o) { return #x in o } } return A.is(prog) ? -1 : 0",
  "a generator": "return [...(function* () { yield prog.name })()][0] === 'a' ? 0 : -1",
  "a tagged template": "return ((s, x) => x)`${prog.name}` === 'a' ? 0 : -1",
  "a regular expression": "return /^a/.test(prog.name) ? 0 : -1",
  "a regular expression with state": "const r = /a/g; r.test('a'); return r.test(prog.name) ? 0 : -1",
  "the index of a regular expression": "const r = /a/; r.lastIndex = 1; return r.test(prog.name) ? 0 : -1",
  "a regular expression with a test of its own":
    "const r = /a/; r.test = () => true; return r.test(prog.name) ? 0 : -1",
  "the type of a regular expression": "return typeof /a/ === 'object' && /a/ !== /a/ ? 0 : -1",
  "the source of a regular expression": "return /a/.source === 'a' ? 0 : -1",
  "a regular expression as a text": "return String(/a/) === '/a/' ? 0 : -1",
  "a regular expression of null": "return /^null$/.test(prog.attach_to) ? 0 : -1",
  "a regular expression in both cases": "return /^[k-s]+$/i.test(prog.name) ? 0 : -1",
  "a regular expression that is slow": "return /^(?:a+)+$/.test(prog.name) ? 0 : -1",
  "regular expressions that exclude each other": "return /^a/.test(prog.name) && /^[^a]|^$/.test(prog.name) ? -1 : 0",
  "an order of texts both ways": "return prog.name > 'a' && 'b' >= prog.name ? 0 : -1",
  "a number of a text that is known": "return prog.name === '9' && Number(prog.name) === 9 ? -1 : 0",
  "an object of a text that is known": "return prog.name === 'a' && Object(prog.name) === 'a' ? -1 : 0",
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
  "a sum that rounds": "const s = prog.maps.length + 2 ** 53; return s + 1 === s ? 0 : -1",
  "a product that rounds": "return prog.insn_cnt * 9007199254740991 % 2 === 1 ? 0 : -1",
  "bits above 32": "return (prog.insns.length * 2 ** 20) & 1048576 ? 0 : -1",
  "bits of a sum above 32": "return (prog.insn_cnt * 4294967296 + 5) & 4 ? 0 : -1",
  "the bit of the sign": "return (current.uid & 0x80000000) > 0 ? 0 : (current.uid & 0x80000000) < 0 ? -1 : -2",
  "bits that contradict each other": "return (current.uid & 3) === 3 && !(current.uid & 2) ? 0 : -1",
  "a mask that is no integer": "return (current.uid & 1.5) === 1 ? 0 : -1",
  "a mask that is too large": "return (current.uid & 4294967297) === 1 ? 0 : -1",
  "an array as a number": 'const v = map_lookup("program_budget", "x"); return Array.isArray(v) && v >= 0 ? -1 : 0',
  "an array of an array as a number":
    'const v = map_lookup("program_budget", "x"); return Array.isArray(v) && Array.isArray(v[0]) && v > 1 ? -1 : 0',
  "an object with valueOf of JSON as a number":
    'const v = map_lookup("program_budget", "x"); try { return v >= 3 ? -1 : 0 } catch { return -2 }',
  "a text that is hexadecimal": "return prog.name > 16 && prog.name.startsWith('0x') ? -1 : 0",
  "a text that is no number": "return !(prog.name > 5) && !(prog.name <= 5) ? -1 : 0",
  "a text that is infinite": "return prog.name > 1e308 && prog.name.length === 8 ? -1 : 0",
  "a text against a text": "return prog.name > '5' && !(prog.name > 5) ? -1 : 0",
  "a sum of two values of maps":
    'const a = map_lookup("program_budget", "x"), b = map_lookup("program_budget", "y"); try { return a + b === "11" ? -1 : 0 } catch { return -2 }',
  "a sum of an array and nothing": 'const v = map_lookup("program_budget", "x"); return v + null === "1null" ? -1 : 0',
  "a write that its own look-up sees":
    'cs.map_update("program_budget", "x", 5); return map_lookup("program_budget", "x") === 5 ? 0 : -1',
  "a write that fails": 'return cs.map_update("program_budget", "x", 5n) === 0 ? 0 : -1',
  "the same write twice": 'const w = () => cs.map_update("program_budget", "x", 5); return w() === w() ? 0 : -1',
  "the order of writes":
    'const a = cs.map_update("program_budget", "x", 1); return cs.map_delete("program_budget", "x") === a ? 0 : -1',
  "a write of facts": 'return cs.map_update("program_budget", "x", prog.effects)',
  "-0 of a remainder": "return Object.is((prog.insn_cnt - 5) % 5, -0) ? 0 : -1",
  "-0 of a floor": 'const v = map_lookup("program_budget", "x"); return 1 / Math.round(v) < 0 ? 0 : -1',
  "a quotient by 0": "return prog.insn_cnt / 0 > 5 ? 0 : -1",
  "a remainder by 0": "return Number.isNaN(prog.insn_cnt % 0) ? 0 : -1",
  "an infinite product of a map": 'const v = map_lookup("program_budget", "x"); return v * 1e300 > 5 ? 0 : -1',
  "an infinite sum of a map": 'const v = map_lookup("program_budget", "x"); return v + 1e308 === Infinity ? 0 : -1',
  "the least number":
    'const v = map_lookup("program_budget", "x"); return v > 0 && v < 5e-324 ? -1 : v === 5e-324 ? 0 : -2',
  "no number beside 0.1": 'const v = map_lookup("program_budget", "x"); return v > 0.1 && v < 0.1 + 2 ** -57 ? -1 : 0',
  "a large fraction":
    'const v = map_lookup("program_budget", "x"); return v > 2 ** 53 && !Number.isInteger(v) ? 0 : -1',
  "a safe integer":
    'const v = map_lookup("program_budget", "x"); return v === 2 ** 53 && Number.isSafeInteger(v) ? 0 : -1',
  "Math.max of one number": "return Math.max(prog.insn_cnt) === prog.insn_cnt ? 0 : -1",
  "Math.max of three numbers": "return Math.max(prog.insn_cnt, 1, 2) > 1 ? 0 : -1",
  "Math.floor with more arguments": "return Math.floor(prog.insn_cnt / 2, prog) > 1 ? 0 : -1",
  "Math.abs of a text": "return Math.abs(prog.name) === 1 ? 0 : -1",
  "s + 1 === s": "const s = current.namespaces.net ?? 0; return s + 1 === s ? 0 : -1",
  "== of a number and a text": "return current.uid == '1000' ? 0 : -1",
  "reduce whose callback changes an outer variable":
    "let n = 0; const sum = prog.maps.reduce((all, m) => { n = m.memory; return all + m.memory }, 0); return sum === n ? 0 : -1",
  "reduce whose callback keeps its accumulator":
    "let kept = 0; prog.maps.reduce((all, m) => { kept = all; return all + m.memory }, 0); return kept > 0 ? -1 : 0",
  "reduce whose callback keeps its accumulator in an object":
    "const kept = { all: 0 }; prog.maps.reduce((all, m) => { kept.all = all; return all + 1 }, 0); return kept.all > 0 ? -1 : 0",
  "reduce whose callback gives the element": "return prog.maps.reduce((all, m) => m, 0) === 0 ? 0 : -1",
  "reduce to a text": "return deny(prog.maps.reduce((text, m) => text + m.name, ''))",
  "reduce of numbers and texts": "return deny(`${prog.maps.reduce((all, m) => all + m.memory + m.name, 0)}`)",
  "reduce from -0": "return Object.is(prog.maps.reduce((all, m) => all + m.memory, -0), -0) ? -1 : 0",
  "reduce that gives -0": "return deny(`${1 / prog.maps.reduce((all, m) => all - m.memory, 0)}`)",
  "reduce from NaN": "return prog.maps.reduce((all, m) => all + m.memory, NaN) > 0 ? -1 : 0",
  "reduce to an infinite number": "return prog.maps.reduce((all, m) => all * 1e300 + m.memory, 1) > 1 ? -1 : 0",
  "reduce to a sum that rounds": "return prog.maps.reduce((all) => all + 1, 2 ** 53) === 2 ** 53 ? 0 : -1",
  "reduce to a sum by its order":
    "const a = prog.maps.reduce((all, m) => all + m.memory + m.memory_per_cpu, 0); const b = prog.maps.reduce((all, m) => all + (m.memory + m.memory_per_cpu), 0); return a === b ? 0 : -1",
  "reduce to a sum of tenths": "return prog.maps.reduce((all) => all + 0.1, 0) === 0.30000000000000004 ? -1 : 0",
  "reduce with a callback that throws for elements":
    "try { return prog.maps.reduce((all, m) => { throw m.name }, 0) } catch (e) { return e === 'a' ? -2 : -1 }",
  "reduce with a callback that misspells a fact": "return prog.maps.reduce((all, m) => all + m.memroy, 0) > 1 ? -1 : 0",
  "reduce with a callback that catches":
    "return prog.maps.reduce((all, m) => { try { return all + m.memroy } catch { return all } }, 0) > 1 ? -1 : 0",
  "reduce with a callback that asks about its accumulator":
    "return prog.maps.reduce((all, m) => { try { if (all > 1) return all } catch { return 0 } return all + 1 }, 0) > 1 ? -1 : 0",
  "reduce with a callback with arguments":
    "return prog.maps.reduce(function (all) { return all + arguments.length }, 0) > 4 ? -1 : 0",
  "reduce with a rest parameter": "return prog.maps.reduce((all, ...more) => all + more.length, 0) > 4 ? -1 : 0",
  "reduce with a default value": "return prog.maps.reduce((all, m, n = 1) => all + n, 0) > 1 ? -1 : 0",
  "reduce with undefined at first": "return prog.maps.reduce((all, m) => all + m.memory, undefined) > 0 ? -1 : 0",
  "reduce without a function": "try { return prog.maps.reduce(0, 0) } catch { return -1 }",
  "reduce without a first value":
    "try { return prog.maps.reduce((one, m) => one).memory > 0 ? -1 : 0 } catch { return -2 }",
  "reduce of a map's array":
    'const a = map_lookup("program_budget", "x"); return Array.isArray(a) && a.reduce((all, n) => all + n, 0) === "0a" ? -1 : 0',
  "reduce by a number of a map":
    'const n = map_lookup("program_budget", "x"); return prog.maps.reduce((all, m) => all + n * m.memory, 0) > 9 ? -1 : 0',
  "reduce that looks up each element":
    'return prog.maps.reduce((all, m) => all + (map_lookup("program_budget", m.name) ?? 1), 0) > 2 ? -1 : 0',
  "reduce in reduce": "return prog.maps.reduce((all, m) => all + prog.maps.reduce((n) => n + 1, 0), 0) > 4 ? -1 : 0",
  "reduce whose result is a verdict": "return prog.maps.reduce((all, m) => all - m.key_size, 0)",
  "reduce whose result is an index": "return [0, -1, -2][prog.maps.reduce((all) => all + 1, 0)] ?? -3",
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

/** A policy whose hook has this body. Throws what linking it throws. */
export const policyWithBody = (body: string) =>
  ExploredPolicy.of(
    'import * as cs from "countersign"; import { deny, map_lookup, verify_program, verify_signature } from "countersign";\n' +
      `export function bpf_prog_load(prog, current) { ${body} }`,
  );
