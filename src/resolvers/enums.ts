/** Enums of the schema, from the same lists that the services check against. */
import { registerEnumType } from 'type-graphql';
import { SCOPES } from '../core/access.ts';
import { GENERATION_STATUSES } from '../core/generation-state.ts';
import { LABEL_KINDS } from '../core/labels.ts';
import { MEASURE_WARNINGS } from '../core/measures.ts';
import { RUN_STATUSES } from '../core/run-state.ts';
import { IMPORT_STATUSES } from '../core/topics.ts';
import { LAYOUTS } from '../datasets/layouts/plan.ts';
import { EXPORT_FORMATS } from '../services/exports.ts';
import { GRID_AXES } from '../services/grids.ts';
import { PICTURE_FORMATS } from '../services/pictures.ts';
import { UPLOAD_STATUSES } from '../store/upload-tables.ts';

function enumOf<T extends string>(name: string, values: readonly T[], description: string): { readonly [K in T]: K } {
  const object = Object.fromEntries(values.map((value) => [value, value])) as { readonly [K in T]: K };
  registerEnumType(object, { name, description });
  return object;
}

const upper = <T extends string>(values: readonly T[]) => values.map((value) => value.toUpperCase() as Uppercase<T>);

export const ImageFormatEnum = enumOf('ImageFormat', upper(PICTURE_FORMATS), 'How a picture is encoded.');
export const TrainingStatusEnum = enumOf('TrainingStatus', RUN_STATUSES, 'Where a training run is in its life.');
export const DatasetLayoutEnum = enumOf(
  'DatasetLayout',
  ['AUTO', ...LAYOUTS],
  'How a collection lies in its folder. AUTO looks by itself.',
);
export const UploadStatusEnum = enumOf('UploadStatus', UPLOAD_STATUSES, 'Whether the file of an upload is here.');
export const ImportStatusEnum = enumOf('ImportStatus', IMPORT_STATUSES, 'How far the newest import of a dataset is.');
export const GenerationStatusEnum = enumOf('GenerationStatus', GENERATION_STATUSES, 'Where a job is in its life.');
/** Names as GraphQL writes them, for values as the services do. */
function namesFor<T extends string>(values: readonly T[]): Readonly<Record<string, T>> {
  return Object.fromEntries(values.map((value) => [value.toUpperCase().replaceAll('-', '_'), value]));
}

export const LabelKindEnum = namesFor(LABEL_KINDS);
registerEnumType(LabelKindEnum, { name: 'LabelKind' });
export const ScopeEnum = namesFor(SCOPES);
registerEnumType(ScopeEnum, {
  name: 'Scope',
  description: 'What an API key is for.',
  valuesConfig: {
    READ: { description: 'See collections, runs, models and the gallery, and watch.' },
    GENERATE: { description: 'Ask for pictures and keep them.' },
    TRAIN: { description: 'Import collections, train, take models in and out.' },
    ADMIN: { description: 'Everything, API keys too.' },
  },
});
export const GridAxisEnum = namesFor(GRID_AXES);
registerEnumType(GridAxisEnum, {
  name: 'GridAxis',
  valuesConfig: { SEEDS: { description: 'The same labels, another drawing in each row or column.' } },
});
export const ExportFormatEnum = namesFor(EXPORT_FORMATS);
registerEnumType(ExportFormatEnum, {
  name: 'ExportFormat',
  valuesConfig: {
    ARTGAN: { description: 'For importModel of another server: model.json, generator.safetensors.' },
    SAVED_MODEL: { description: 'For TensorFlow and TF Serving.' },
    TFJS: { description: 'For browsers: tf.loadGraphModel.' },
  },
});
export const MeasureWarningEnum = namesFor(MEASURE_WARNINGS);
registerEnumType(MeasureWarningEnum, {
  name: 'MeasureWarningCode',
  valuesConfig: {
    COLLAPSE: { description: 'Pictures of a label are nearly alike.' },
    MEMORISING: { description: 'Many pictures are copies of works.' },
    DIVERGING: { description: 'The distance to the collection has grown.' },
    LABELS_IGNORED: { description: 'A kind of label that is asked for is not seen in the pictures.' },
  },
});
export type ImageFormat = keyof typeof ImageFormatEnum;
