/** Waits until `condition` gives something other than undefined or false, looking every few milliseconds. */
export async function waitFor<T>(
  condition: () => T | undefined | false | Promise<T | undefined | false>,
  limitMs = 15_000,
): Promise<T> {
  const end = performance.now() + limitMs;
  while (performance.now() < end) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`Waited ${limitMs} ms for ${condition}`);
}
