/**
 * The mode of an attachment or of the whole engine. Denials of an attachment in `audit` are recorded and change no
 * verdict. An engine in `audit` makes a dry run and denies nothing.
 */
export type Mode = "enforce" | "audit";
