/** An example: a page that paints, trains and watches, with Apollo Client and without a framework. */
import { createArtganClient, type Transport } from '@artgan/client';
import { attempt, control, element, onSubmit } from './dom.ts';
import { setUpGallery } from './gallery.ts';
import { fillLabels, setUpPainting } from './painting.ts';
import { showStream, TrainingPanel } from './training.ts';

const KEY = 'artgan-api-key';
/** `?server=http://127.0.0.1:4000` asks another server than the page's own, `?transport=sse` in another way. */
const asked = new URLSearchParams(location.search);
const TRANSPORTS: readonly Transport[] = ['websocket', 'sse', 'multipart'];

const client = createArtganClient({
  url: new URL('/graphql', asked.get('server') ?? location.href).href,
  apiKey: sessionStorage.getItem(KEY) ?? undefined,
  transport: TRANSPORTS.find((known) => known === asked.get('transport')) ?? 'websocket',
  resume: {
    onState: (state, { operationName }) => {
      if (operationName === 'WatchTraining') showStream(state);
    },
  },
});

const keyForm = element('key-form', HTMLFormElement);
onSubmit(keyForm, () => {
  // For this tab alone.
  sessionStorage.setItem(KEY, control(keyForm, 'key', HTMLInputElement).value);
  location.reload();
});

const labels = control(element('paint-form', HTMLFormElement), 'label', HTMLSelectElement);
const training = new TrainingPanel(client, () => attempt(() => fillLabels(client, labels)));
setUpGallery(client);
void attempt(async () => void (await Promise.all([setUpPainting(client), training.setUp()])));
