CREATE TABLE "gallery_counts" (
	"set_id" integer NOT NULL,
	"selection" integer NOT NULL,
	"pictures" integer NOT NULL,
	CONSTRAINT "gallery_counts_selection_set_id_pk" PRIMARY KEY("selection","set_id"),
	CONSTRAINT "gallery_counts_pictures" CHECK ("gallery_counts"."pictures" > 0)
);
--> statement-breakpoint
CREATE TABLE "gallery_days" (
	"set_id" integer NOT NULL,
	"selection" integer NOT NULL,
	"day" integer NOT NULL,
	"pictures" integer NOT NULL,
	CONSTRAINT "gallery_days_set_id_selection_day_pk" PRIMARY KEY("set_id","selection","day"),
	CONSTRAINT "gallery_days_pictures" CHECK ("gallery_days"."pictures" > 0)
);
--> statement-breakpoint
CREATE TABLE "gallery_entries" (
	"set_id" integer NOT NULL,
	"n" bigint NOT NULL,
	"kept_at" timestamp (3) with time zone NOT NULL,
	"seed" bigint NOT NULL,
	"cell" integer NOT NULL,
	"model" integer NOT NULL,
	"artist" integer,
	"style" integer,
	"genre" integer,
	CONSTRAINT "gallery_entries_set_id_n_pk" PRIMARY KEY("set_id","n")
);
--> statement-breakpoint
CREATE TABLE "gallery_exports" (
	"id" text PRIMARY KEY NOT NULL,
	"request" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "gallery_selections" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "gallery_selections_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"key" uuid NOT NULL,
	"givens" smallint NOT NULL,
	"model_id" text,
	"artist_id" text,
	"style_id" text,
	"genre_id" text,
	"parts" integer[]
);
--> statement-breakpoint
CREATE TABLE "gallery_sets" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "gallery_sets_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 10 CACHE 1),
	"kind" text NOT NULL,
	"slug" text NOT NULL,
	"name" text NOT NULL,
	"description" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "generations" (
	"id" text PRIMARY KEY NOT NULL,
	"owner" text NOT NULL,
	"idempotency_key" text,
	"fingerprint" text NOT NULL,
	"name" text,
	"model_id" text NOT NULL,
	"mix" jsonb NOT NULL,
	"seed" bigint NOT NULL,
	"truncation" double precision NOT NULL,
	"n" integer NOT NULL,
	"done" integer DEFAULT 0 NOT NULL,
	"bytes" bigint DEFAULT 0 NOT NULL,
	"status" text DEFAULT 'QUEUED' NOT NULL,
	"error" text,
	"pictures_per_second" double precision,
	"failures" integer DEFAULT 0 NOT NULL,
	"fence" integer DEFAULT 0 NOT NULL,
	"lease_until" timestamp (3) with time zone,
	"turn_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"started_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone,
	CONSTRAINT "generations_n" CHECK ("generations"."n" > 0 and "generations"."done" between 0 and "generations"."n")
);
--> statement-breakpoint
CREATE TABLE "uploads" (
	"id" text PRIMARY KEY NOT NULL,
	"owner" text NOT NULL,
	"status" text DEFAULT 'WAITING' NOT NULL,
	"filename" text,
	"said_bytes" integer,
	"said_sha256" text,
	"sent_sha256" text,
	"sha256" text,
	"width" integer,
	"height" integer,
	"bytes" integer,
	"recipe" text,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp (3) with time zone
);
--> statement-breakpoint
DROP INDEX "images_kept";--> statement-breakpoint
DROP INDEX "images_artist";--> statement-breakpoint
DROP INDEX "images_style";--> statement-breakpoint
DROP INDEX "images_genre";--> statement-breakpoint
DROP INDEX "images_model";--> statement-breakpoint
ALTER TABLE "images" ADD COLUMN "n" bigint NOT NULL GENERATED ALWAYS AS IDENTITY (sequence name "images_n_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1);--> statement-breakpoint
ALTER TABLE "models" ADD COLUMN "deleted_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "gallery_counts" ADD CONSTRAINT "gallery_counts_selection_gallery_selections_id_fk" FOREIGN KEY ("selection") REFERENCES "public"."gallery_selections"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "gallery_days" ADD CONSTRAINT "gallery_days_selection_gallery_selections_id_fk" FOREIGN KEY ("selection") REFERENCES "public"."gallery_selections"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "gallery_selections" ADD CONSTRAINT "gallery_selections_model_id_models_id_fk" FOREIGN KEY ("model_id") REFERENCES "public"."models"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "gallery_selections" ADD CONSTRAINT "gallery_selections_artist_id_labels_id_fk" FOREIGN KEY ("artist_id") REFERENCES "public"."labels"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "gallery_selections" ADD CONSTRAINT "gallery_selections_style_id_labels_id_fk" FOREIGN KEY ("style_id") REFERENCES "public"."labels"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "gallery_selections" ADD CONSTRAINT "gallery_selections_genre_id_labels_id_fk" FOREIGN KEY ("genre_id") REFERENCES "public"."labels"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "generations" ADD CONSTRAINT "generations_model_id_models_id_fk" FOREIGN KEY ("model_id") REFERENCES "public"."models"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "gallery_counts_set" ON "gallery_counts" USING btree ("set_id","selection","pictures");--> statement-breakpoint
CREATE INDEX "gallery_entries_kept" ON "gallery_entries" USING btree ("set_id","kept_at","n");--> statement-breakpoint
CREATE INDEX "gallery_entries_model" ON "gallery_entries" USING btree ("set_id","model","kept_at","n");--> statement-breakpoint
CREATE INDEX "gallery_entries_artist" ON "gallery_entries" USING btree ("set_id","artist","kept_at","n");--> statement-breakpoint
CREATE INDEX "gallery_entries_style" ON "gallery_entries" USING btree ("set_id","style","kept_at","n");--> statement-breakpoint
CREATE INDEX "gallery_entries_genre" ON "gallery_entries" USING btree ("set_id","genre","kept_at","n");--> statement-breakpoint
CREATE INDEX "gallery_entries_cell" ON "gallery_entries" USING btree ("set_id","cell","kept_at","n");--> statement-breakpoint
CREATE INDEX "gallery_entries_seed" ON "gallery_entries" USING btree ("set_id","seed","kept_at","n");--> statement-breakpoint
CREATE INDEX "gallery_entries_sets" ON "gallery_entries" USING btree ("n","set_id");--> statement-breakpoint
CREATE INDEX "gallery_exports_created" ON "gallery_exports" USING btree ("created_at");--> statement-breakpoint
CREATE UNIQUE INDEX "gallery_selections_key" ON "gallery_selections" USING btree ("key");--> statement-breakpoint
CREATE INDEX "gallery_selections_model" ON "gallery_selections" USING btree ("givens","model_id");--> statement-breakpoint
CREATE INDEX "gallery_selections_artist" ON "gallery_selections" USING btree ("givens","artist_id");--> statement-breakpoint
CREATE INDEX "gallery_selections_style" ON "gallery_selections" USING btree ("givens","style_id");--> statement-breakpoint
CREATE INDEX "gallery_selections_genre" ON "gallery_selections" USING btree ("givens","genre_id");--> statement-breakpoint
CREATE INDEX "gallery_selections_parts" ON "gallery_selections" USING gin ("parts");--> statement-breakpoint
CREATE UNIQUE INDEX "gallery_sets_slug" ON "gallery_sets" USING btree ("kind","slug");--> statement-breakpoint
CREATE INDEX "gallery_sets_name" ON "gallery_sets" USING btree ("kind","name","id");--> statement-breakpoint
CREATE INDEX "gallery_sets_created" ON "gallery_sets" USING btree ("kind","created_at","id");--> statement-breakpoint
CREATE INDEX "generations_created" ON "generations" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "generations_turn" ON "generations" USING btree ("status","turn_at","id");--> statement-breakpoint
CREATE INDEX "generations_model" ON "generations" USING btree ("model_id");--> statement-breakpoint
CREATE UNIQUE INDEX "generations_key" ON "generations" USING btree ("owner","idempotency_key");--> statement-breakpoint
CREATE INDEX "uploads_owner" ON "uploads" USING btree ("owner","created_at","id");--> statement-breakpoint
CREATE INDEX "uploads_created" ON "uploads" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "uploads_expires" ON "uploads" USING btree ("expires_at");--> statement-breakpoint
CREATE INDEX "uploads_sha256" ON "uploads" USING btree ("sha256");--> statement-breakpoint
CREATE INDEX "images_sha256" ON "images" USING btree ("sha256");--> statement-breakpoint
ALTER TABLE "images" ADD CONSTRAINT "images_n_unique" UNIQUE("n");--> statement-breakpoint
ALTER TABLE "gallery_entries" ADD CONSTRAINT "gallery_entries_n_images_n_fk" FOREIGN KEY ("n") REFERENCES "images"("n") ON DELETE CASCADE;
--> statement-breakpoint
CREATE FUNCTION "gallery_key"("model" text, "artist" text, "style" text, "genre" text) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN md5(coalesce("model", '') || '|' || coalesce("artist", '') || '|' || coalesce("style", '') || '|' || coalesce("genre", ''))::uuid;
--> statement-breakpoint
CREATE VIEW "gallery_places" AS
SELECT i."n", i."kept_at", i."seed", c."id" AS "cell",
  c."parts"[2] AS "model", c."parts"[3] AS "artist", c."parts"[5] AS "style", c."parts"[9] AS "genre"
FROM "images" i JOIN "gallery_selections" c ON c."key" = gallery_key(i."model_id", i."artist_id", i."style_id", i."genre_id");
--> statement-breakpoint
-- Makes the selections that these pictures need and nobody has made yet.
CREATE FUNCTION "gallery_know"("ns" bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  fresh uuid[];
BEGIN
  WITH cells AS MATERIALIZED (
    SELECT DISTINCT ON (k.key) k.key, i.model_id AS m, i.artist_id AS a, i.style_id AS s, i.genre_id AS g
    FROM unnest(ns) AS u (n)
    JOIN images i ON i.n = u.n
    CROSS JOIN LATERAL (SELECT gallery_key(i.model_id, i.artist_id, i.style_id, i.genre_id) AS key) k
    WHERE NOT EXISTS (SELECT 1 FROM gallery_selections c WHERE c.key = k.key AND c.parts IS NOT NULL)
  ), wanted AS (
    SELECT DISTINCT ON (key) gallery_key(p.m, p.a, p.s, p.g) AS key, mask, p.m, p.a, p.s, p.g
    FROM cells c
    CROSS JOIN generate_series(0, 15) AS mask
    CROSS JOIN LATERAL (
      SELECT CASE WHEN mask & 1 > 0 THEN c.m END AS m, CASE WHEN mask & 2 > 0 THEN c.a END AS a,
        CASE WHEN mask & 4 > 0 THEN c.s END AS s, CASE WHEN mask & 8 > 0 THEN c.g END AS g
    ) p
    WHERE (mask & 2 = 0 OR c.a IS NOT NULL) AND (mask & 4 = 0 OR c.s IS NOT NULL) AND (mask & 8 = 0 OR c.g IS NOT NULL)
  ), made AS (
    INSERT INTO gallery_selections (key, givens, model_id, artist_id, style_id, genre_id)
    SELECT key, mask, m, a, s, g FROM wanted ORDER BY key
    ON CONFLICT (key) DO NOTHING
  )
  SELECT array_agg(key) INTO fresh FROM cells;
  IF fresh IS NULL THEN RETURN; END IF;
  UPDATE gallery_selections c SET parts = ARRAY(
    SELECT p.id
    FROM generate_series(0, 15) AS mask
    LEFT JOIN gallery_selections p ON mask & ~c.givens::int = 0 AND p.key = gallery_key(
      CASE WHEN mask & 1 > 0 THEN c.model_id END, CASE WHEN mask & 2 > 0 THEN c.artist_id END,
      CASE WHEN mask & 4 > 0 THEN c.style_id END, CASE WHEN mask & 8 > 0 THEN c.genre_id END)
    ORDER BY mask
  )
  FROM unnest(fresh) AS f (key) WHERE c.key = f.key;
END $$;
--> statement-breakpoint
CREATE FUNCTION "gallery_enter"("ns" bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM gallery_know(ns);
  INSERT INTO gallery_entries (set_id, n, kept_at, seed, cell, model, artist, style, genre)
  SELECT 0, p.n, p.kept_at, p.seed, p.cell, p.model, p.artist, p.style, p.genre
  FROM unnest(ns) AS u (n) JOIN gallery_places p ON p.n = u.n;
END $$;
--> statement-breakpoint
CREATE FUNCTION "gallery_day"("kept_at" timestamptz) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN floor(extract(epoch FROM "kept_at") / 86400)::int;
--> statement-breakpoint
-- Adds to the counts of these cells in these sets, and so of every selection that the cells are part of.
CREATE FUNCTION "gallery_change"("sets" integer[], "cells" integer[], "days" integer[], "changes" bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF sets IS NULL THEN RETURN; END IF;
  MERGE INTO gallery_counts c USING (
    SELECT d.set_id, p.part, sum(d.change)::int AS pictures
    FROM (
      SELECT set_id, cell, sum(change) AS change
      FROM unnest(sets, cells, changes) AS d (set_id, cell, change) GROUP BY set_id, cell
    ) d
    JOIN gallery_selections s ON s.id = d.cell
    CROSS JOIN LATERAL unnest(s.parts) AS p (part)
    WHERE p.part IS NOT NULL
    GROUP BY d.set_id, p.part HAVING sum(d.change) <> 0
  ) d ON c.selection = d.part AND c.set_id = d.set_id
  WHEN MATCHED AND c.pictures + d.pictures = 0 THEN DELETE
  WHEN MATCHED THEN UPDATE SET pictures = c.pictures + d.pictures
  WHEN NOT MATCHED THEN INSERT (set_id, selection, pictures) VALUES (d.set_id, d.part, d.pictures);
  MERGE INTO gallery_days c USING (
    SELECT d.set_id, p.part, d.day, sum(d.change)::int AS pictures
    FROM unnest(sets, cells, days, changes) AS d (set_id, cell, day, change)
    JOIN gallery_selections s ON s.id = d.cell
    CROSS JOIN LATERAL unnest(ARRAY[s.parts[1], s.parts[2], s.parts[3], s.parts[5], s.parts[9]]) AS p (part)
    WHERE p.part IS NOT NULL
    GROUP BY d.set_id, p.part, d.day HAVING sum(d.change) <> 0
  ) d ON c.set_id = d.set_id AND c.selection = d.part AND c.day = d.day
  WHEN MATCHED AND c.pictures + d.pictures = 0 THEN DELETE
  WHEN MATCHED THEN UPDATE SET pictures = c.pictures + d.pictures
  WHEN NOT MATCHED THEN INSERT (set_id, selection, day, pictures) VALUES (d.set_id, d.part, d.day, d.pictures);
END $$;
--> statement-breakpoint
-- Whoever writes to the gallery does it alone: nobody can wait for another who waits for them, and no count is of the past.
CREATE FUNCTION "gallery_alone"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(728364504);
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE FUNCTION "gallery_images_written"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  ns bigint[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT array_agg(n) INTO ns FROM added;
    IF ns IS NOT NULL THEN PERFORM gallery_enter(ns); END IF;
    RETURN NULL;
  END IF;
  SELECT array_agg(n) INTO ns FROM added;
  IF ns IS NULL THEN RETURN NULL; END IF;
  PERFORM gallery_know(ns);
  UPDATE gallery_entries e
  SET kept_at = p.kept_at, seed = p.seed, cell = p.cell, model = p.model, artist = p.artist, style = p.style, genre = p.genre
  FROM unnest(ns) AS u (n) JOIN gallery_places p ON p.n = u.n WHERE e.n = u.n;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE FUNCTION "gallery_entries_written"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  sets integer[];
  cells integer[];
  days integer[];
  changes bigint[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    SELECT array_agg(set_id), array_agg(cell), array_agg(day), array_agg(change) INTO sets, cells, days, changes
    FROM (SELECT set_id, cell, gallery_day(kept_at) AS day, count(*) AS change FROM added GROUP BY 1, 2, 3) AS d;
  ELSIF TG_OP = 'DELETE' THEN
    SELECT array_agg(set_id), array_agg(cell), array_agg(day), array_agg(change) INTO sets, cells, days, changes
    FROM (SELECT set_id, cell, gallery_day(kept_at) AS day, -count(*) AS change FROM removed GROUP BY 1, 2, 3) AS d;
  ELSE
    SELECT array_agg(set_id), array_agg(cell), array_agg(day), array_agg(change) INTO sets, cells, days, changes
    FROM (
      SELECT set_id, cell, gallery_day(kept_at) AS day, sum(change)::bigint AS change
      FROM (SELECT set_id, cell, kept_at, 1 AS change FROM added UNION ALL SELECT set_id, cell, kept_at, -1 FROM removed) AS each
      GROUP BY 1, 2, 3 HAVING sum(change) <> 0
    ) AS d;
  END IF;
  PERFORM gallery_change(sets, cells, days, changes);
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE FUNCTION "gallery_entries_emptied"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM gallery_counts;
  DELETE FROM gallery_days;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER "gallery_alone" BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON "images" FOR EACH STATEMENT EXECUTE FUNCTION "gallery_alone"();
--> statement-breakpoint
CREATE TRIGGER "gallery_alone" BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON "gallery_entries" FOR EACH STATEMENT EXECUTE FUNCTION "gallery_alone"();
--> statement-breakpoint
CREATE TRIGGER "gallery_added" AFTER INSERT ON "images" REFERENCING NEW TABLE AS "added" FOR EACH STATEMENT EXECUTE FUNCTION "gallery_images_written"();
--> statement-breakpoint
CREATE TRIGGER "gallery_changed" AFTER UPDATE ON "images" REFERENCING NEW TABLE AS "added" FOR EACH STATEMENT EXECUTE FUNCTION "gallery_images_written"();
--> statement-breakpoint
CREATE TRIGGER "gallery_added" AFTER INSERT ON "gallery_entries" REFERENCING NEW TABLE AS "added" FOR EACH STATEMENT EXECUTE FUNCTION "gallery_entries_written"();
--> statement-breakpoint
CREATE TRIGGER "gallery_changed" AFTER UPDATE ON "gallery_entries" REFERENCING OLD TABLE AS "removed" NEW TABLE AS "added" FOR EACH STATEMENT EXECUTE FUNCTION "gallery_entries_written"();
--> statement-breakpoint
CREATE TRIGGER "gallery_removed" AFTER DELETE ON "gallery_entries" REFERENCING OLD TABLE AS "removed" FOR EACH STATEMENT EXECUTE FUNCTION "gallery_entries_written"();
--> statement-breakpoint
CREATE TRIGGER "gallery_emptied" AFTER TRUNCATE ON "gallery_entries" FOR EACH STATEMENT EXECUTE FUNCTION "gallery_entries_emptied"();
--> statement-breakpoint
SELECT gallery_enter(array_agg("n")) FROM "images" GROUP BY "n" / 5000;
