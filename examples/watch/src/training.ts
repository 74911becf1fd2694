/** Start a run or choose one, and watch it: losses, samples, and every event that its log holds. */
import type { ApolloClient } from '@apollo/client';
import {
  DatasetsDocument,
  StartTrainingDocument,
  TrainingRunsDocument,
  WatchTrainingDocument,
  type WatchTrainingSubscription,
} from '@artgan/client/documents';
import type { StreamState } from '@artgan/client/resume';
import { LossChart } from './chart.ts';
import { attempt, control, element, make, onSubmit } from './dom.ts';

type Event = WatchTrainingSubscription['trainingProgress'];

/** Older ones are in the log, not on the page. */
const MOST_EVENTS = 1_000;

export class TrainingPanel {
  readonly #client: ApolloClient;
  readonly #ended: () => Promise<void>;
  readonly #chart = new LossChart(element('losses', HTMLCanvasElement));
  readonly #runs = control(element('watch-form', HTMLFormElement), 'run', HTMLSelectElement);
  #stop: () => void = () => undefined;

  /** `ended` is called when a watched run has come to its end. */
  constructor(client: ApolloClient, ended: () => Promise<void>) {
    this.#client = client;
    this.#ended = ended;
  }

  async setUp(): Promise<void> {
    const form = element('start-form', HTMLFormElement);
    const dataset = control(form, 'dataset', HTMLSelectElement);
    const steps = control(form, 'steps', HTMLInputElement);
    const resolution = control(form, 'resolution', HTMLSelectElement);
    onSubmit(form, () =>
      this.#start({ dataset: dataset.value, steps: steps.valueAsNumber, resolution: Number(resolution.value) }),
    );
    onSubmit(element('watch-form', HTMLFormElement), () => this.#watch(this.#runs.value));
    const { data } = await this.#client.query({ query: DatasetsDocument });
    const ready = data?.datasets.nodes.filter(({ import: { status } }) => status === 'READY') ?? [];
    dataset.replaceChildren(...ready.map(({ slug, name }) => new Option(name, slug)));
    await this.#fillRuns();
  }

  async #fillRuns(): Promise<void> {
    const { data } = await this.#client.query({ query: TrainingRunsDocument, fetchPolicy: 'network-only' });
    const chosen = this.#runs.value;
    const runs = data?.trainingRuns.nodes ?? [];
    this.#runs.replaceChildren(
      ...runs.map(({ id, name, status }) => new Option(`${name} (${status})`, id, false, id === chosen)),
    );
  }

  async #start(asked: { dataset: string; steps: number; resolution: number }): Promise<void> {
    // Often enough to have something to look at in a short run.
    const every = Math.max(1, Math.round(asked.steps / 10));
    const input = { ...asked, config: { metricsEvery: Math.ceil(every / 10), sampleEvery: every } };
    const { data } = await this.#client.mutate({ mutation: StartTrainingDocument, variables: { input } });
    const [mistake] = data?.startTraining.userErrors ?? [];
    if (mistake !== undefined) throw new Error(mistake.message);
    await this.#fillRuns();
    const run = data?.startTraining.run?.id;
    if (run === undefined) return;
    this.#runs.value = run;
    this.#watch(run);
  }

  #watch(run: string): void {
    this.#stop();
    this.#chart.clear();
    for (const id of ['events', 'samples']) element(id, HTMLElement).replaceChildren();
    const stream = this.#client.subscribe({ query: WatchTrainingDocument, variables: { run, after: 0 } });
    const subscription = stream.subscribe({
      next: ({ data, error }) => {
        if (error !== undefined) connection('over', error.message);
        if (data !== undefined) this.#show(data.trainingProgress);
      },
      complete: () => {
        connection('over', 'The run has ended.');
        void attempt(async () => void (await Promise.all([this.#fillRuns(), this.#ended()])));
      },
    });
    this.#stop = () => subscription.unsubscribe();
  }

  #show(event: Event): void {
    const { run } = event;
    element('progress', HTMLProgressElement).value = run.progress;
    element('status', HTMLOutputElement).value = `${run.status}, step ${run.step} of ${run.totalSteps}`;
    if (event.__typename === 'TrainingMetrics') this.#chart.add(event);
    if (event.__typename === 'TrainingSample') {
      const alt = `Step ${event.step}: ${event.labels.join(', ')}`;
      const sample = make('li', {}, make('img', { src: event.url, alt }), make('small', {}, `Step ${event.step}`));
      element('samples', HTMLUListElement).prepend(sample);
    }
    const events = element('events', HTMLOListElement);
    events.append(make('li', { value: event.seq }, summaryOf(event)));
    if (events.children.length > MOST_EVENTS) events.firstElementChild?.remove();
  }
}

function summaryOf(event: Event): string {
  switch (event.__typename) {
    case 'TrainingMetrics':
      return `step ${event.step}: D ${event.dLoss.toFixed(3)}, G ${event.gLoss.toFixed(3)}`;
    case 'TrainingSample':
      return `step ${event.step}: a sample`;
    case 'TrainingMeasures':
      return `step ${event.step}: KID ${event.kid.value.toFixed(4)}`;
    case 'TrainingStateChanged':
      return event.reason === null ? event.status : `${event.status}: ${event.reason}`;
  }
}

/** Shows how the stream is; `createArtganClient` tells of every change. */
export function showStream(state: StreamState): void {
  connection(state.kind, wordsFor(state));
}

function wordsFor(state: StreamState): string {
  switch (state.kind) {
    case 'asking':
      return state.after === undefined ? 'Asking for its events…' : 'Asking for what was missed…';
    case 'live':
      return 'Live.';
    case 'waiting':
      return `The connection is lost. Try ${state.attempt} is in ${(state.delayMs / 1000).toFixed(1)} s.`;
  }
}

function connection(state: StreamState['kind'] | 'over', words: string): void {
  const shown = element('connection', HTMLOutputElement);
  shown.dataset['state'] = state;
  shown.value = words;
}
