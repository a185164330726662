import { expect, it } from "vitest";
import { KernelSymbols } from "../../../../src/loaded/effects/kernel-symbols.js";

const symbolsOf = (...lines: string[]) => new KernelSymbols(Buffer.from(lines.map((line) => `${line}\n`).join("")));
const HIGH = 0xffffffff;

it("finds symbols by their address, with the module that has them", () => {
  const symbols = symbolsOf(
    "ffffffff81000000 T startup_64",
    "ffffffff81000000 T _stext",
    "ffffffff81000010 t static_function",
    "ffffffffc0200000 t of_module\t[some_module]",
    "0000000000032c40 A per_cpu_variable",
  );
  const names = (low: number, high = HIGH) => symbols.at(low, high).map(({ name }) => name);
  expect(names(0x81000000).sort()).toEqual(["_stext", "startup_64"]);
  expect(names(0x81000010)).toEqual(["static_function"]);
  expect(symbols.at(0xc0200000, HIGH)).toEqual([{ name: "of_module", module: "some_module" }]);
  expect(names(0x32c40, 0)).toEqual(["per_cpu_variable"]);
  expect(names(0x32c40)).toEqual([]);
  expect(names(0x81000008)).toEqual([]);
});

it("finds the address of a symbol of the kernel itself, if there is one", () => {
  const symbols = symbolsOf(
    "ffffffff81000000 T __bpf_call_base",
    "ffffffff81000010 t twice",
    "ffffffff81000020 t twice",
    "ffffffffc0200000 t elsewhere\t[some_module]",
    "ffffffff81000030 t twice_as_much",
  );
  expect(symbols.address("__bpf_call_base")).toEqual({ low: 0x81000000 | 0, high: HIGH | 0 });
  expect(symbols.address("twice")).toBeNull();
  expect(symbols.address("elsewhere")).toBeNull();
  expect(symbols.address("call_base")).toBeNull();
});

it("knows that addresses are hidden", () => {
  expect(symbolsOf("0000000000000000 T a", "0000000000000000 T b").isHidden).toBe(true);
  expect(symbolsOf("0000000000000000 A fixed_percpu_data", "ffffffff81000000 T a").isHidden).toBe(false);
  expect(new KernelSymbols(new Uint8Array()).isHidden).toBe(true);
});

it("reads a last line without its end", () => {
  const symbols = new KernelSymbols(Buffer.from("ffffffff81000000 T the_last_symbol"));
  expect(symbols.at(0x81000000, HIGH)).toEqual([{ name: "the_last_symbol", module: null }]);
});
