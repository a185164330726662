/**
 * Tags connect a number with the call of a helper, kfunc or function whose result it is, so that a comparison of the
 * number tells which bytes the call wrote. A tag is the slot of the call and the form that the result has:
 */
const FORM = {
  /** The number itself, as 64 bits. */
  WHOLE: 0,
  /** Its low 32 bits; the upper half is zero. */
  LOW: 1,
  /** Its low 32 bits in the upper half; the lower half is zero. */
  SHIFTED: 2,
  /** Its low 32 bits; the upper half is not known, as the result of a C function that returns an int. */
  INT: 3,
} as const;
const FORMS = 3;

/** The tag of the result of a helper, which is a number of 64 bits. */
export function helperTag(slot: number): number {
  return (slot << 2) | FORM.WHOLE;
}

/** The tag of the result of a kfunc or of a function of the program. */
export function intTag(slot: number): number {
  return (slot << 2) | FORM.INT;
}

export function slotOfTag(tag: number): number {
  return tag >> 2;
}

/** Whether the number is the call's result if both are small and not negative, as a size is. */
export function tellsSize(tag: number): boolean {
  return (tag & FORMS) !== FORM.SHIFTED;
}

/** The tag after a 64-bit operation with a constant; -1 if the result no longer tells the sign of the number. */
export function shiftedTag(tag: number, operation: number, constant: number): number {
  const form = tag & FORMS;
  if (constant !== 32) return -1;
  if (operation === LSH && form !== FORM.SHIFTED) return withForm(tag, FORM.SHIFTED);
  if (operation === ARSH && form === FORM.SHIFTED) return withForm(tag, FORM.WHOLE);
  if (operation === RSH && form === FORM.SHIFTED) return withForm(tag, FORM.LOW);
  return -1;
}

/** The tag of the low 32 bits, with an upper half of zero. */
export function truncatedTag(tag: number): number {
  return (tag & FORMS) === FORM.SHIFTED ? -1 : withForm(tag, FORM.LOW);
}

/** The tag of the low 32 bits, extended by their sign. */
export function extendedTag(tag: number): number {
  return (tag & FORMS) === FORM.SHIFTED ? -1 : withForm(tag, FORM.WHOLE);
}

function withForm(tag: number, form: number): number {
  return (tag & ~FORMS) | form;
}

/** Operation codes of ALU64 (RFC 9669, section 4.1). */
const LSH = 0x60;
const RSH = 0x70;
const ARSH = 0xc0;

/** The signs that a result may have, as bits. */
export const SIGN = { NEGATIVE: 1, ZERO: 2, POSITIVE: 4, ANY: 7 } as const;

/**
 * The signs that the result of a call may have if a number with its tag was compared with a constant, and the outcome
 * was this.
 */
export function signsAfter(tag: number, comparison: number, wide: boolean, constant: number, outcome: boolean): number {
  const form = tag & FORMS;
  if (!wide && form === FORM.SHIFTED) return SIGN.ANY;
  const signs = signsIf(outcome ? comparison : OPPOSITE[comparison], constant);
  if (!wide || form === FORM.WHOLE || form === FORM.SHIFTED) return signs;
  // As a 64-bit number, the low 32 bits have no sign; with an unknown upper half, only 0 says something.
  if (signs === SIGN.ZERO) return signs;
  return form === FORM.LOW && constant === 0 && signs === (SIGN.NEGATIVE | SIGN.POSITIVE) ? signs : SIGN.ANY;
}

/** The signs of the numbers for which a comparison with a constant holds. */
function signsIf(comparison: number | undefined, constant: number): number {
  const sign = constant < 0 ? SIGN.NEGATIVE : constant === 0 ? SIGN.ZERO : SIGN.POSITIVE;
  const known = constant < 0 ? SIGN.ANY : undefined;
  switch (comparison) {
    case EQ:
      return sign;
    case NE:
      return constant === 0 ? SIGN.NEGATIVE | SIGN.POSITIVE : SIGN.ANY;
    case SGT:
      return constant >= 0 ? SIGN.POSITIVE : constant === -1 ? SIGN.ZERO | SIGN.POSITIVE : SIGN.ANY;
    case SGE:
      return constant > 0 ? SIGN.POSITIVE : constant === 0 ? SIGN.ZERO | SIGN.POSITIVE : SIGN.ANY;
    case SLT:
      return constant <= 0 ? SIGN.NEGATIVE : constant === 1 ? SIGN.NEGATIVE | SIGN.ZERO : SIGN.ANY;
    case SLE:
      return constant < 0 ? SIGN.NEGATIVE : constant === 0 ? SIGN.NEGATIVE | SIGN.ZERO : SIGN.ANY;
    // As unsigned numbers, negative ones are above all others.
    case GT:
      return known ?? SIGN.NEGATIVE | SIGN.POSITIVE;
    case GE:
      return known ?? (constant > 0 ? SIGN.NEGATIVE | SIGN.POSITIVE : SIGN.ANY);
    case LT:
      return known ?? (constant > 1 ? SIGN.ZERO | SIGN.POSITIVE : SIGN.ZERO);
    case LE:
      return known ?? (constant > 0 ? SIGN.ZERO | SIGN.POSITIVE : SIGN.ZERO);
    default:
      return SIGN.ANY;
  }
}

/** Operation codes of JMP and JMP32 (RFC 9669, section 4.3). */
const [EQ, GT, GE, NE, SGT, SGE] = [0x10, 0x20, 0x30, 0x50, 0x60, 0x70];
const [LT, LE, SLT, SLE] = [0xa0, 0xb0, 0xc0, 0xd0];

/** The comparison that holds if another one does not. BPF_JSET has none. */
const OPPOSITE: Readonly<Record<number, number>> = {
  [EQ]: NE,
  [NE]: EQ,
  [GT]: LE,
  [LE]: GT,
  [GE]: LT,
  [LT]: GE,
  [SGT]: SLE,
  [SLE]: SGT,
  [SGE]: SLT,
  [SLT]: SGE,
};

/** The comparison that holds for exchanged operands. */
export function swappedComparison(comparison: number): number {
  return SWAPPED[comparison] ?? comparison;
}

const SWAPPED: Readonly<Record<number, number>> = {
  [GT]: LT,
  [LT]: GT,
  [GE]: LE,
  [LE]: GE,
  [SGT]: SLT,
  [SLT]: SGT,
  [SGE]: SLE,
  [SLE]: SGE,
};
