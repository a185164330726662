/**
 * Of an attachment in `audit`, denials are recorded and change no verdict. An engine in `audit` makes a dry run: it
 * denies nothing.
 */
export type Mode = "enforce" | "audit";
