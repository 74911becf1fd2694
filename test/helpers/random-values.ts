/** What a server holds that random queries can ask for. */
import type { Values } from './random-inputs.ts';

const EVERYTHING = `{
  datasets { ...page nodes { id slug } }
  artworks(first: 50) { ...page nodes { id title } }
  artists(first: 50) { ...page nodes { id slug name } }
  styles(first: 50) { ...page nodes { id slug } }
  genres(first: 50) { ...page nodes { id slug } }
  trainingRuns { ...page nodes { id name checkpoints { id } samples(first: 10) { pageInfo { endCursor } nodes { id } } } }
  models { ...page nodes { id name } }
  generatedImages(first: 50) { ...page nodes { id } }
}`;
/** Fragments are by type, and every connection has one of its own. */
const PAGE = 'pageInfo { startCursor endCursor }';
const CURSOR_FIELDS = ['startCursor', 'endCursor'];
const TEXT_FIELDS = ['slug', 'name', 'title'];

/** `data` gives a query's data. */
export async function valuesOf(data: (query: string) => Promise<unknown>): Promise<Values> {
  const found = { ids: new Set<string>(), texts: new Set<string>(), cursors: new Set<string>() };
  collect(await data(EVERYTHING.replaceAll('...page', PAGE)), (name, text) => {
    if (name === 'id') found.ids.add(text);
    if (TEXT_FIELDS.includes(name)) found.texts.add(text);
    if (CURSOR_FIELDS.includes(name)) found.cursors.add(text);
  });
  return { ids: [...found.ids], texts: [...found.texts], cursors: [...found.cursors] };
}

function collect(value: unknown, take: (name: string, text: string) => void): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, part] of Object.entries(value)) {
    if (typeof part === 'string') take(name, part);
    else collect(part, take);
  }
}
