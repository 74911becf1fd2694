/** The page's own server hands on to artgan what is not the page's. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const client = fileURLToPath(new URL('../../client/src/', import.meta.url));
const artgan = 'http://127.0.0.1:4000';

export default defineConfig({
  root: import.meta.dirname,
  // Relative, so that the page may lie anywhere.
  base: './',
  resolve: {
    alias: [
      { find: /^@artgan\/client$/, replacement: `${client}client.ts` },
      { find: /^@artgan\/client\/(.+)$/, replacement: `${client}$1.ts` },
    ],
  },
  server: {
    proxy: {
      '/graphql': { target: artgan, ws: true },
      '/images': artgan,
      '/samples': artgan,
    },
  },
});
