import { Option } from "commander";
import { VARIANTS, type Variant } from "../../bpf/core/variant.js";
import { CountersignError } from "../../error.js";
import { DEFAULT_VARIANT } from "./kernel-options.js";

/** The option `--variant` of commands that take several loaders. */
export function variantsOption(): Option {
  return new Option(
    "--variant <loader>",
    `the loader's library, ${VARIANTS.join(" or ")}; again for more (default: "${DEFAULT_VARIANT}")`,
  ).argParser(variant);
}

function variant(value: string, before: readonly Variant[] = []): readonly Variant[] {
  const known = VARIANTS.find((each) => each === value);
  if (known === undefined)
    throw new CountersignError("USAGE", `there is no loader \`${value}\``, { remedy: `use ${VARIANTS.join(" or ")}` });
  return [...before, known];
}
