/** Pictures for a label: ask, look, keep. */
import type { ApolloClient } from '@apollo/client';
import { GenerateDocument, KeepImagesDocument, PaintableLabelsDocument } from '@artgan/client/documents';
import { attempt, control, element, make, onSubmit } from './dom.ts';

type Kind = 'Artist' | 'Style' | 'Genre';
const KINDS: readonly Kind[] = ['Style', 'Artist', 'Genre'];

/** Fills the form with what the default model can be asked for. */
export async function setUpPainting(client: ApolloClient): Promise<void> {
  const form = element('paint-form', HTMLFormElement);
  const label = control(form, 'label', HTMLSelectElement);
  const count = control(form, 'count', HTMLInputElement);
  onSubmit(form, () => paint(client, { label: label.value, n: count.valueAsNumber }));
  await fillLabels(client, label);
}

/** To be called again when there is a new model. */
export async function fillLabels(client: ApolloClient, select: HTMLSelectElement): Promise<void> {
  const { data } = await client.query({ query: PaintableLabelsDocument, fetchPolicy: 'network-only' });
  const [model] = data?.models.nodes ?? [];
  const groups = KINDS.map((kind) => {
    const labels = model?.labels.filter(({ __typename }) => __typename === kind) ?? [];
    return make('optgroup', { label: `${kind}s` }, ...labels.map(({ slug, name }) => new Option(name, slug)));
  });
  select.replaceChildren(...groups.filter(({ children }) => children.length > 0));
}

async function paint(client: ApolloClient, variables: { label: string; n: number }): Promise<void> {
  // Without a seed every answer is another one: it must not come from the cache.
  const { data } = await client.query({ query: GenerateDocument, variables, fetchPolicy: 'network-only' });
  const pictures = data?.generate ?? [];
  element('pictures', HTMLUListElement).replaceChildren(
    ...pictures.map(({ id, seed, url }) => {
      const keep = make('button', { type: 'button', textContent: 'Keep' });
      keep.addEventListener('click', () => void attempt(() => keepPicture(client, { id, keep })));
      const image = make('img', { src: url, alt: `${variables.label}, seed ${seed}` });
      return make('li', {}, image, make('small', {}, `seed ${seed} `), keep);
    }),
  );
}

async function keepPicture(client: ApolloClient, { id, keep }: { id: string; keep: HTMLButtonElement }): Promise<void> {
  keep.disabled = true;
  const { data } = await client.mutate({ mutation: KeepImagesDocument, variables: { images: [id] } });
  const [mistake] = data?.keepImages.userErrors ?? [];
  if (mistake !== undefined) throw new Error(mistake.message);
  keep.textContent = 'Kept';
}
