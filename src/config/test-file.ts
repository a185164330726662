/** The path of the test beside a policy. */
export function testFile(policy: string): string {
  return policy.replace(/\.[a-z]+$/, ".test.yaml");
}
