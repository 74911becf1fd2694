/** Enums of the schema, from the same lists that the services check against. */
import { registerEnumType } from 'type-graphql';
import { RUN_STATUSES } from '../core/run-state.ts';
import { LAYOUTS } from '../datasets/layouts/plan.ts';
import { PICTURE_FORMATS } from '../services/pictures.ts';
import { IMPORT_STATUSES } from '../store/tables.ts';

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
export const ImportStatusEnum = enumOf('ImportStatus', IMPORT_STATUSES, 'How far the newest import of a dataset is.');
export type ImageFormat = keyof typeof ImageFormatEnum;
