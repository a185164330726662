// Records in the shared buffer that the stack is used up, where the engine throws that error.
import { mark, STACK } from "./buffer.mjs";
import { addressOfText, fail, get, i32 } from "./wasm.mjs";

/** Inserts the record before each throw of this message. A policy cannot revoke the record by catching the error. */
export function markThrows(wasm, edits, word) {
  const { bytes, bodies } = wasm;
  const address = Buffer.from(i32(addressOfText(wasm, word)));
  let found = 0;
  for (const { start, size } of bodies) {
    const code = bytes.subarray(start, start + size);
    for (let at = code.indexOf(address); at !== -1; at = code.indexOf(address, at + 1)) {
      // The call is thrower(context, message, no arguments).
      const around = code.subarray(at - 2, at + address.length + 3);
      const expected = Buffer.from([...get(0), ...address, ...i32(0), 0x10]);
      if (!around.equals(expected)) fail(`\`${word}\` is used in a way that is not known`);
      edits.insert(start + at - 2, mark(STACK));
      found += 1;
    }
  }
  if (found === 0) fail(`\`${word}\` is not used`);
}
