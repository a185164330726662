/** Whether a text as a number (StringToNumber, ECMA-262, 7.1.4.1.1) compares with a constant, as in `<= 20`. */
export function comparesAsNumber(text: string, comparison: string): boolean {
  const [operator, constant] = comparison.split(" ");
  const [one, other] = [Number(text), Number(constant)];
  switch (operator) {
    case "<":
      return one < other;
    case "<=":
      return one <= other;
    case ">":
      return one > other;
    default:
      return one >= other;
  }
}
