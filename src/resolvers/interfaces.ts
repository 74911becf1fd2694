/** The interfaces of the schema. A value that stands for one of them carries its `__typename`. */
import { Field, ID, Int, InterfaceType } from 'type-graphql';
import { LABEL_KINDS, type LabelKind } from '../core/labels.ts';
import { DateTimeScalar } from './scalars.ts';

export interface Tagged {
  readonly __typename: string;
}

const resolveType = (value: Tagged) => value.__typename;

@InterfaceType('Node', { resolveType })
export abstract class Node {
  @Field(() => ID)
  id!: string;
}

@InterfaceType('Label', {
  implements: Node,
  resolveType,
  description: 'What a picture can be asked for by: an artist, a style or a genre.',
})
export abstract class Label extends Node {
  @Field(() => String, { description: 'e.g. "ukiyo-e"' })
  slug!: string;

  @Field(() => String, { description: 'e.g. "Ukiyo-e"' })
  name!: string;
}

@InterfaceType('TrainingEvent', {
  resolveType,
  description: "One entry of a run's durable log. seq grows by one per run, with no gap.",
})
export abstract class TrainingEvent {
  @Field(() => Int)
  seq!: number;

  @Field(() => DateTimeScalar)
  at!: Date;
}

const typeNames: Readonly<Record<LabelKind, string>> = { artist: 'Artist', style: 'Style', genre: 'Genre' };

/** 'Artist', 'Style' or 'Genre'. */
export const labelTypeName = (kind: LabelKind) => typeNames[kind];

export const kindOfType = (typeName: string) => LABEL_KINDS.find((kind) => typeNames[kind] === typeName);

export function tagged<Row extends object>(typeName: string, row: Row): Row & Tagged {
  return { __typename: typeName, ...row };
}
