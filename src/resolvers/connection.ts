/** Relay connections, all alike, made from the pages that the store reads. */
import { ArgsType, type ClassType, Field, Int, ObjectType } from 'type-graphql';
import { DEFAULT_FIRST, mapPage, type Page, type PageRequest } from '../core/paging.ts';
import { checkPage, countRows, type List, type NestedList, readPage } from '../store/page.ts';
import type { Context } from './context.ts';
import { COUNT_COST, Policy } from './policy.ts';

@ObjectType()
export class PageInfo {
  @Field(() => Boolean, {
    description: 'Whether entries follow the page; with `first` and `before`, ahead of that cursor.',
  })
  hasNextPage!: Promise<boolean>;

  @Field(() => Boolean, {
    description: 'Whether entries precede the page; with `last` and `after`, behind that cursor.',
  })
  hasPreviousPage!: Promise<boolean>;

  @Field(() => String, { nullable: true })
  startCursor!: Promise<string | null>;

  @Field(() => String, { nullable: true })
  endCursor!: Promise<string | null>;
}

@ArgsType()
export class PageArgs {
  @Field(() => Int, { nullable: true, defaultValue: DEFAULT_FIRST, description: '1..100' })
  first?: number | null;

  @Field(() => String, { nullable: true, description: 'Only what comes after the entry of this cursor.' })
  after?: string | null;

  @Field(() => Int, { nullable: true, description: '1..100 from the end of the list, in its order; not with `first`.' })
  last?: number | null;

  @Field(() => String, { nullable: true, description: 'Only what comes before the entry of this cursor.' })
  before?: string | null;
}

interface Edge<Row> {
  readonly cursor: string;
  readonly node: Row;
}

/** What is not selected is not read: neither the page nor the length. */
export interface Connection<Row> {
  readonly edges: Promise<readonly Edge<Row>[]>;
  readonly nodes: Promise<readonly Row[]>;
  readonly pageInfo: PageInfo;
  readonly totalCount: Promise<number>;
}

/** A `first` that is the schema's default may have been left out: with `last` it says nothing. */
export function pageRequest({ first, after, last, before }: PageArgs): PageRequest {
  const isLeftOut = (last ?? null) !== null && first === DEFAULT_FIRST;
  return {
    first: isLeftOut ? undefined : (first ?? undefined),
    last: last ?? undefined,
    after: after ?? undefined,
    before: before ?? undefined,
  };
}

/** For rows that the schema shows as they are. */
export const same = <Row>(row: Row): Row => row;

interface Listed<List, Row, Node> {
  readonly list: List;
  readonly args: PageArgs;
  /** What a row is in the schema. */
  readonly nodeOf: (row: Row) => Node;
}

/** A list of the whole server. @throws AppError INVALID_INPUT where it has no such page. */
export function connectionOf<Row, Node>(
  { db }: Pick<Context, 'db'>,
  { list, args, nodeOf }: Listed<List<Row>, Row, Node>,
): Connection<Node> {
  const page = checkedPage(list, args);
  return toConnection(
    async () => mapPage(await readPage(db, list, page), nodeOf),
    () => countRows(db, list),
  );
}

interface Nested {
  /** Of the parent. */
  readonly id: string;
  /** Where the length of the list is asked for elsewhere, too. */
  readonly count?: (() => Promise<number>) | undefined;
}

/** The list of one of many parents, read together with theirs. @throws AppError INVALID_INPUT where it has no such page. */
export function nestedConnectionOf<Row, Node>(
  { load }: Pick<Context, 'load'>,
  { list, id, args, nodeOf, count }: Listed<NestedList<Row>, Row, Node> & Nested,
): Connection<Node> {
  const page = checkedPage(list, args);
  return toConnection(
    async () => mapPage(await load.page(list, { id, page }), nodeOf),
    count ?? (() => load.count(list, id)),
  );
}

/** The page is read once, whoever of its fields is the first to want it. */
export function toConnection<Row>(read: () => Promise<Page<Row>>, count: () => Promise<number>): Connection<Row> {
  let reading: Promise<Page<Row>> | undefined;
  const page = () => {
    reading ??= read();
    return reading;
  };
  return {
    get edges() {
      return page().then(({ rows, cursors }) => rows.map((node, i) => ({ cursor: cursors[i] ?? '', node })));
    },
    get nodes() {
      return page().then(({ rows }) => rows);
    },
    pageInfo: {
      get hasNextPage() {
        return page().then(({ hasNextPage }) => hasNextPage());
      },
      get hasPreviousPage() {
        return page().then(({ hasPreviousPage }) => hasPreviousPage());
      },
      get startCursor() {
        return page().then(({ cursors }) => cursors[0] ?? null);
      },
      get endCursor() {
        return page().then(({ cursors }) => cursors.at(-1) ?? null);
      },
    },
    get totalCount() {
      return count();
    },
  };
}

/** What is wrong with it is told of the list, not of one of its fields. */
function checkedPage(list: Pick<List<unknown>, 'order'>, args: PageArgs): PageRequest {
  const page = pageRequest(args);
  checkPage(list, page);
  return page;
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
    @Policy({ once: COUNT_COST })
    totalCount!: Promise<number>;
  }
  return ConnectionOfNode;
}
