/** Pictures that users have sent, and those that they have announced. */
import { index, integer, pgTable, text } from 'drizzle-orm/pg-core';
import { createdAt, moment } from './tables.ts';

export const UPLOAD_STATUSES = ['WAITING', 'READY'] as const;

export const uploads = pgTable(
  'uploads',
  {
    id: text('id').primaryKey(),
    /** Whose it is (core/access.ts: viewerId). */
    owner: text('owner').notNull(),
    status: text('status', { enum: UPLOAD_STATUSES }).notNull().default('WAITING'),
    /** As the client calls it. Never a path. */
    filename: text('filename'),
    /** What the client has said that it would send, where it has. */
    saidBytes: integer('said_bytes'),
    saidSha256: text('said_sha256'),
    /** SHA-256 of what was sent: the same may be sent again. */
    sentSha256: text('sent_sha256'),
    /** Of the stored file, all set once it is READY. */
    sha256: text('sha256'),
    width: integer('width'),
    height: integer('height'),
    bytes: integer('bytes'),
    /** What the file that was sent says of its making (core/picture-metadata.ts: recipeText). */
    recipe: text('recipe'),
    createdAt: createdAt(),
    /** Until then it waits; null: it is here to stay. */
    expiresAt: moment('expires_at'),
  },
  (t) => [
    index('uploads_owner').on(t.owner, t.createdAt, t.id),
    index('uploads_created').on(t.createdAt, t.id),
    index('uploads_expires').on(t.expiresAt),
    index('uploads_sha256').on(t.sha256),
  ],
);

export type UploadRow = typeof uploads.$inferSelect;
