/** Artists, styles and genres: three object types over one kind of row. */
import { Field, InputType, ObjectType } from 'type-graphql';
import { labelOrders } from '../../store/labels.ts';
import { connectionType } from '../connection.ts';
import { Label, Node } from '../interfaces.ts';
import { listArgs, orderInput } from '../list-args.ts';
import { Policy } from '../policy.ts';

/** Collections grow by imports: what they are made of may be a little late. */
export const LABEL_SECONDS = 30;

@ObjectType({ implements: [Node, Label] })
@Policy({ cacheSeconds: LABEL_SECONDS })
export class Artist extends Label {}
@ObjectType({ implements: [Node, Label] })
@Policy({ cacheSeconds: LABEL_SECONDS })
export class Style extends Label {}
@ObjectType({ implements: [Node, Label] })
@Policy({ cacheSeconds: LABEL_SECONDS })
export class Genre extends Label {}

export const ArtistConnection = connectionType('Artist', () => Artist);
export const StyleConnection = connectionType('Style', () => Style);
export const GenreConnection = connectionType('Genre', () => Genre);

@InputType({ description: 'Entries for which all of this holds.' })
export class LabelWhere {
  @Field(() => String, { nullable: true, description: 'Contained, in upper or lower case.' })
  name?: string | null;

  @Field(() => String, { nullable: true, description: 'Works of this dataset have it. By slug or id.' })
  dataset?: string | null;

  @Field(() => Boolean, { nullable: true, description: 'Whether any works have it.' })
  hasArtworks?: boolean | null;
}

/** The kinds have the same orders. */
export const LabelArgs = listArgs(LabelWhere, orderInput('Label', labelOrders.artist));
export type LabelArgs = InstanceType<typeof LabelArgs>;
