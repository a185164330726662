import { CountersignError } from "../../error.js";

/** What commands look for in folders that are named, and what to name instead. */
const REMEDIES = {
  "BPF object": "name a folder with BPF objects, or with executables that embed them",
  "kernel module": "name a folder with modules, such as /usr/lib/modules/RELEASE",
  executable: "name a folder with executables or libraries",
} as const;

/**
 * The error for a folder that has nothing of what a command looks for. Without it, a mistyped folder and a build that
 * failed would look like success.
 */
export function nothingFound(folder: string, what: keyof typeof REMEDIES): CountersignError {
  return new CountersignError("NOTHING_FOUND", `there is no ${what} in this folder`, {
    place: folder,
    remedy: `${REMEDIES[what]}; symbolic links in folders are not followed`,
  });
}
