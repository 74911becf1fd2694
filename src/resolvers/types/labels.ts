/** Artists, styles and genres: three object types over one kind of row. */
import { ObjectType } from 'type-graphql';
import { connectionType } from '../connection.ts';
import { Label, Node } from '../interfaces.ts';

@ObjectType({ implements: [Node, Label] })
export class Artist extends Label {}
@ObjectType({ implements: [Node, Label] })
export class Style extends Label {}
@ObjectType({ implements: [Node, Label] })
export class Genre extends Label {}

export const ArtistConnection = connectionType('Artist', () => Artist);
export const StyleConnection = connectionType('Style', () => Style);
export const GenreConnection = connectionType('Genre', () => Genre);
