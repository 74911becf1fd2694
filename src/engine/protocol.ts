/**
 * Every message between the API process and its engine children, both ways, over Node's IPC channel with
 * `serialization: 'advanced'` (so pixels travel as one Uint8Array). Types only: parse.ts turns `unknown` into these.
 *
 * A child says `hello` once TensorFlow is loaded. A trainer then gets one `train`, says what happens and ends with
 * `ended`; a generator answers each request with `classified`, `written` or `refused`, and one or several that it has painted
 * together with `painted`. A child whose channel closes ends itself.
 */
import type { ErrorCode } from '../core/errors.ts';
import type { LabelKind } from '../core/labels.ts';
import type { Latent } from '../core/latents.ts';
import type { Measures } from '../core/measures.ts';
import type { Mix } from '../core/mix.ts';
import type { TrainConfig } from '../core/presets.ts';

export const PROTOCOL_VERSION = 3;

export interface TrainJob {
  readonly name: string;
  readonly config: TrainConfig;
  readonly seed: number;
  readonly totalSteps: number;
  /** The packed training file and its expected SHA-256. */
  readonly pack: string;
  readonly packSha256: string;
  /** Folder for this run's checkpoints; it exists. */
  readonly checkpointsDir: string;
  /** Checkpoint folders to go on from, newest first: the first undamaged one is used; none: from the start. */
  readonly resumeFrom: readonly string[];
  /** Folder for the classifiers that measure generators; shared by all runs. */
  readonly classifiersDir: string;
  /** The newest step that was measured; 0: none. */
  readonly measuredStep: number;
  /** Where to put the finished generator (model.json, generator.safetensors). */
  readonly modelDir: string;
}

export type StopReason = 'pause' | 'cancel' | 'shutdown';

export type ToTrainer =
  | { readonly type: 'train'; readonly job: TrainJob }
  /** Leave after the current step; `pause` and `shutdown` write a checkpoint first. */
  | { readonly type: 'stop'; readonly why: StopReason };

/** A picture from a latent, or one repainted: Dec(Enc(x)) of its pixels, side x side x 3 bytes of the model's side. */
export type PaintRequest = { readonly mix: Mix } & (
  | { readonly latent: Latent; readonly truncation: number }
  | { readonly pixels: Uint8Array }
);

/** What D says of a picture in one kind: a probability per label, in the card's order, and that it is generated. */
export interface KindJudgement {
  readonly kind: LabelKind;
  readonly labels: readonly number[];
  readonly fake: number;
}

/** For TensorFlow and TF Serving, and for browsers. */
export type ExportFormat = 'saved-model' | 'tfjs';

/** What a generator child can be asked for. */
export type GeneratorRequest =
  | {
      readonly type: 'paint';
      /** Model folder; its weights are loaded on first use and kept while used. */
      readonly modelDir: string;
      readonly pictures: readonly PaintRequest[];
    }
  /** Say what D makes of a picture: side x side x 3 bytes of the model's side. */
  | { readonly type: 'classify'; readonly modelDir: string; readonly pixels: Uint8Array }
  /** Write a model for others to run into the folder `into`, which is made. */
  | { readonly type: 'export'; readonly modelDir: string; readonly format: ExportFormat; readonly into: string }
  /** Make the model folder `into` of one from elsewhere, or of a checkpoint. */
  | { readonly type: 'adopt'; readonly from: string; readonly into: string };

export type ToGenerator = GeneratorRequest & { readonly id: number };

/** Said by both kinds of child. `alive` comes every second, except while a step, a recording or a painting lasts. */
export type FromChild =
  | { readonly type: 'hello'; readonly version: number; readonly device: string }
  /** rss: bytes of memory; tensors: how many TensorFlow holds for it. */
  | { readonly type: 'alive'; readonly rss: number; readonly tensors: number }
  | { readonly type: 'log'; readonly level: 'info' | 'warn' | 'error'; readonly message: string };

export type FromTrainer =
  | FromChild
  /** After loading: the step it goes on from; damaged checkpoints that were passed over. */
  | { readonly type: 'started'; readonly step: number; readonly damaged: readonly string[] }
  | {
      readonly type: 'metrics';
      readonly step: number;
      readonly dLoss: number;
      readonly gLoss: number;
      readonly l2Loss: number | null;
      readonly realAccuracy: number | null;
      readonly fakeAccuracy: number | null;
      readonly imagesPerSecond: number;
      readonly etaSeconds: number | null;
    }
  /** A grid of rows x columns pictures as one RGB picture of width x height. */
  | {
      readonly type: 'sample';
      readonly step: number;
      readonly columns: number;
      readonly rows: number;
      readonly labels: readonly string[];
      readonly width: number;
      readonly height: number;
      readonly pixels: Uint8Array;
    }
  | ({ readonly type: 'measures'; readonly step: number } & Measures)
  /** The checkpoint lies on disk, fsynced, under its final name. */
  | {
      readonly type: 'checkpoint';
      readonly step: number;
      readonly dir: string;
      readonly sha256: string;
      readonly bytes: number;
    }
  | {
      readonly type: 'ended';
      readonly step: number;
      /** finished: the model folder is complete. diverged, failed: `message` says why. */
      readonly reason: 'finished' | 'diverged' | 'failed' | 'disk-full' | StopReason;
      readonly message: string | null;
    };

export type FromGenerator =
  | FromChild
  | {
      readonly type: 'painted';
      /** Requests that were painted together, and how many pictures each of them asked for. */
      readonly parts: readonly { readonly id: number; readonly pictures: number }[];
      readonly width: number;
      readonly height: number;
      /** RGB, picture after picture, part after part: pictures x height x width x 3 bytes. */
      readonly pixels: Uint8Array;
    }
  | { readonly type: 'classified'; readonly id: number; readonly kinds: readonly KindJudgement[] }
  /** The folder is there, as `export` or `adopt` asked for. */
  | { readonly type: 'written'; readonly id: number }
  /** code: of an AppError, where the reason is in what was asked for. */
  | { readonly type: 'refused'; readonly id: number; readonly code: ErrorCode | null; readonly message: string };
