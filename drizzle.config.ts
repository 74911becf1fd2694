/** `npx drizzle-kit generate` writes the next migration after a change of a table. */
import type { Config } from 'drizzle-kit';

export default {
  dialect: 'postgresql',
  schema: ['./src/store/tables.ts', './src/store/*-tables.ts'],
  out: './src/store/migrations',
} satisfies Config;
