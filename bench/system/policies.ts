import type { ProgramSubject } from "../../src/bpf/model/facts.js";
import { factsOfLoad } from "../../src/bpf/prog-load.js";
import { readConfig } from "../../src/config/config.js";
import { Engine } from "../../src/engine/decision/engine.js";
import { programSubject } from "../../src/engine/files/program-subject.js";
import { ROOT_ON_HOST } from "../../src/policy/model/current.js";

const NONE = new Uint8Array(0);
const FDS = { mapByFd: () => null, mapByIndex: () => null };
const ORIGIN = { signature: null, statements: [], mismatches: [], kernel_signature: null, kernel_keyring: null };

/**
 * What no gate can do without that asks policies: the facts of a program that is not known, and a decision. The
 * function that is returned gets the attr and the instructions of a load, and returns the verdict. It knows nothing of
 * maps and BTF. `key` stands for all input of the facts; without one, only the facts of the last program are known.
 */
export async function policiesOf(file: string): Promise<(attr: Uint8Array, insns: Uint8Array, key?: string) => number> {
  const engine = await Engine.open(readConfig(file, "run"));
  const known = new Map<string, ProgramSubject>();
  let last: Uint8Array = NONE;
  let subject: ProgramSubject;
  return (attr, insns, key) => {
    const found = key === undefined ? undefined : known.get(key);
    if (found !== undefined) subject = found;
    else if (key !== undefined || Buffer.compare(insns, last) !== 0) {
      last = insns.slice();
      const records = { btf: null, funcInfo: NONE, lineInfo: NONE, coreRelos: NONE };
      const facts = factsOfLoad({ attr, insns: last, license: "GPL", ...records, fds: FDS, kernel: null });
      subject = programSubject(facts, { ...ORIGIN, object: null });
      if (key !== undefined) known.set(key, subject);
    }
    return engine.decide({ hook: "bpf_prog_load", subject, current: ROOT_ON_HOST }, []).verdict;
  };
}
