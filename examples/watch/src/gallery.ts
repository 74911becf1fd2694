/** Kept pictures, page by page, and new ones as they are kept, here or elsewhere. */
import type { ApolloClient } from '@apollo/client';
import { GalleryPageDocument, type GalleryPageQuery, GeneratedImageAddedDocument } from '@artgan/client/documents';
import { attempt, element, make } from './dom.ts';

const PAGE = 12;

export function setUpGallery(client: ApolloClient): void {
  const older = element('older', HTMLButtonElement);
  // The cache joins the pages: whoever watches the list sees it grow.
  const list = client.watchQuery({ query: GalleryPageDocument, variables: { first: PAGE } });
  let endCursor: string | null = null;
  list.subscribe(({ data, dataState }) => {
    if (dataState !== 'complete') return;
    const { nodes, pageInfo } = data.generatedImages;
    endCursor = pageInfo.endCursor;
    older.hidden = !pageInfo.hasNextPage;
    show(nodes);
  });
  older.addEventListener('click', () => {
    void attempt(async () => {
      await list.fetchMore({ variables: { first: PAGE, after: endCursor } });
    });
  });
  client.subscribe({ query: GeneratedImageAddedDocument }).subscribe({
    next: ({ data }) => {
      if (data !== undefined) void attempt(async () => void (await list.refetch()));
    },
  });
}

function show(pictures: GalleryPageQuery['generatedImages']['nodes']): void {
  element('gallery', HTMLUListElement).replaceChildren(
    ...pictures.map(({ url, seed, style, artist, genre }) => {
      const names = [artist, style, genre].flatMap((label) => label?.name ?? []).join(', ');
      return make('li', {}, make('img', { src: url, alt: `${names}, seed ${seed}`, loading: 'lazy' }), names);
    }),
  );
}
