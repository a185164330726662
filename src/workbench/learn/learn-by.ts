/** By what a program is learnt. Programs that do not have it are learnt by digest. */
export const LEARN_BY = ["statement", "digest", "signer", "effects"] as const;
export type LearnBy = (typeof LEARN_BY)[number];
