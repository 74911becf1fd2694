/** Relay connections, all alike, made from the pages that the store reads. */
import { ArgsType, type ClassType, Field, Int, ObjectType } from 'type-graphql';
import type { Page } from '../core/paging.ts';

@ObjectType()
export class PageInfo {
  @Field(() => Boolean)
  hasNextPage!: boolean;

  @Field(() => Boolean)
  hasPreviousPage!: boolean;

  @Field(() => String, { nullable: true })
  startCursor!: string | null;

  @Field(() => String, { nullable: true })
  endCursor!: string | null;
}

@ArgsType()
export class PageArgs {
  @Field(() => Int, { nullable: true, defaultValue: 20, description: '1..100' })
  first!: number | null;

  @Field(() => String, { nullable: true, description: 'The cursor of the last entry seen.' })
  after?: string | null;
}

export interface Connection<Row> {
  readonly edges: readonly { readonly cursor: string; readonly node: Row }[];
  readonly nodes: readonly Row[];
  readonly pageInfo: PageInfo;
  readonly totalCount: Promise<number>;
}

const DEFAULT_FIRST = 20;

/** What the store's pages ask for. A `first` that is null means the default. */
export function pageRequest({ first, after }: PageArgs): { first: number; after?: string } {
  return { first: first ?? DEFAULT_FIRST, ...(after === null || after === undefined ? {} : { after }) };
}

/** `count` runs only where totalCount is selected. */
export function toConnection<Row>(
  { rows, cursors, ...page }: Page<Row>,
  count: () => Promise<number>,
): Connection<Row> {
  return {
    edges: rows.map((node, i) => ({ cursor: cursors[i] ?? '', node })),
    nodes: rows,
    pageInfo: { ...page, startCursor: cursors[0] ?? null, endCursor: cursors.at(-1) ?? null },
    get totalCount() {
      return count();
    },
  };
}

/** The connection's class and, by it, the types `<name>Connection` and `<name>Edge`. */
export function connectionType(name: string, node: () => ClassType): ClassType {
  @ObjectType(`${name}Edge`)
  class Edge {
    @Field(() => String)
    cursor!: string;

    @Field(() => node())
    node!: unknown;
  }

  @ObjectType(`${name}Connection`)
  class ConnectionOfNode {
    @Field(() => [Edge])
    edges!: Edge[];

    @Field(() => [node()])
    nodes!: unknown[];

    @Field(() => PageInfo)
    pageInfo!: PageInfo;

    @Field(() => Int, { description: 'Counted only where it is selected.' })
    totalCount!: Promise<number>;
  }
  return ConnectionOfNode;
}
