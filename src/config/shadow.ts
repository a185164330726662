import { CountersignError } from "../error.js";

/** A file that a configuration names as its shadow, and where it does. */
export interface ShadowFile {
  readonly file: string;
  readonly place: string;
}

interface Shadowed {
  readonly file: string;
  readonly signatures: readonly string[];
  readonly shadowFile: ShadowFile | null;
}

/**
 * Reads the shadow of a configuration with `read`. Throws CONFIG_INVALID if it has a shadow itself, or a folder of
 * signatures that the configuration has not: a gate finds signatures once, for both. Throws FILE_UNREADABLE and
 * FILE_TOO_LARGE with the place of the key.
 */
export function shadowOf<Config extends Shadowed>(
  { file, signatures }: Config,
  its: ShadowFile,
  read: (file: string) => Config,
): Config {
  const shadow = reading(its, read);
  if (shadow.shadowFile !== null)
    throw new CountersignError("CONFIG_INVALID", `has a \`shadow\`, and is itself the shadow of \`${file}\``, {
      place: shadow.shadowFile.place,
      remedy: "remove `shadow` there: only the configuration that is enforced can have one",
    });
  const other = shadow.signatures.find((folder) => !signatures.includes(folder));
  if (other !== undefined)
    throw new CountersignError(
      "CONFIG_INVALID",
      `the shadow has a folder of signatures that this has not: \`${other}\``,
      {
        place: its.place,
        remedy: "add the folder to `signatures` here: signatures are looked for once, for both configurations",
      },
    );
  return shadow;
}

function reading<Config>({ file, place }: ShadowFile, read: (file: string) => Config): Config {
  try {
    return read(file);
  } catch (error) {
    if (!(error instanceof CountersignError) || error.place !== file) throw error;
    throw new CountersignError(error.code, `\`shadow\`: \`${file}\` ${error.message}`, {
      place,
      remedy: "name a configuration there, or remove `shadow`",
      cause: error.cause,
    });
  }
}
