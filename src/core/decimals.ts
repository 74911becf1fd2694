/** Numbers in recipes have six decimals: ids stay short, and are read back as they were written. */
const DECIMALS = 1e6;

export const sixDecimals = (value: number) => Math.round(value * DECIMALS) / DECIMALS;

/** Whether two numbers are the same but for what rounding, once for each of a recipe's weights, makes of them. */
export const isNearly = (value: number, other: number) => Math.abs(value - other) < 1e-4;
