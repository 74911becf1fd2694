/** API keys, as administrators see them. */
import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import type { Scope } from '../../core/access.ts';
import { connectionType } from '../connection.ts';
import { ScopeEnum } from '../enums.ts';
import { Node } from '../interfaces.ts';
import { UserError } from '../payload.ts';
import { DateTimeScalar } from '../scalars.ts';

@ObjectType({ implements: Node, description: 'What opens this server to a program. The key itself is shown once.' })
export class ApiKey extends Node {
  @Field(() => String)
  name!: string;

  @Field(() => String, { description: 'Its first characters, to tell keys apart.' })
  hint!: string;

  @Field(() => [ScopeEnum])
  scopes!: readonly Scope[];

  @Field(() => Int, { nullable: true, description: 'Points of its budget; null: as the settings of the server say.' })
  budget!: number | null;

  @Field(() => DateTimeScalar)
  createdAt!: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Since then it opens nothing.' })
  revokedAt!: Date | null;
}

export const ApiKeyConnection = connectionType('ApiKey', () => ApiKey);

@ObjectType('Viewer', { description: 'Who asks, as the server sees it.' })
export class ViewerInfo {
  @Field(() => [ScopeEnum], { description: 'What they may do.' })
  scopes!: readonly Scope[];

  @Field(() => ApiKey, {
    nullable: true,
    description: 'The key that they came with; null on a server that wants none.',
  })
  apiKey!: ApiKey | null;
}

@InputType()
export class CreateApiKeyInput {
  @Field(() => String)
  name!: string;

  @Field(() => [ScopeEnum])
  scopes!: Scope[];

  @Field(() => Int, { nullable: true, description: 'Points that it may spend at once; they refill.' })
  budget?: number | null;
}

@InputType()
export class RevokeApiKeyInput {
  @Field(() => ID)
  id!: string;
}

@ObjectType()
export class CreateApiKeyPayload {
  @Field(() => ApiKey, { nullable: true })
  apiKey!: ApiKey | null;

  @Field(() => String, {
    nullable: true,
    description: 'To be kept by you: it is shown this once and stored as a hash.',
  })
  key!: string | null;

  @Field(() => [UserError])
  userErrors!: readonly UserError[];
}

@ObjectType()
export class RevokeApiKeyPayload {
  @Field(() => ApiKey, { nullable: true })
  apiKey!: ApiKey | null;

  @Field(() => [UserError])
  userErrors!: readonly UserError[];
}
