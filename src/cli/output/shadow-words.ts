import type { ShadowChange } from "../../log/shadow-record.js";

/** The words for what a shadow would change, and their style. */
export const SHADOW_WORDS: Readonly<Record<ShadowChange, readonly [style: "red" | "yellow" | "green", word: string]>> =
  {
    denies: ["red", "would deny"],
    allows: ["green", "would allow"],
    errno: ["yellow", "would deny with"],
    grants: ["yellow", "would grant otherwise"],
    audit: ["yellow", "has other audit denials"],
    fault: ["red", "has a failed policy"],
  };
