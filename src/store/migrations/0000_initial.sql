CREATE TABLE "artworks" (
	"id" text PRIMARY KEY NOT NULL,
	"dataset_id" text NOT NULL,
	"file" text NOT NULL,
	"title" text,
	"year" integer,
	"artist_id" text,
	"style_id" text,
	"genre_id" text,
	"pack_index" integer NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "checkpoints" (
	"id" text PRIMARY KEY NOT NULL,
	"run_id" text NOT NULL,
	"step" integer NOT NULL,
	"sha256" text NOT NULL,
	"dir" text,
	"bytes" bigint NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "datasets" (
	"id" text PRIMARY KEY NOT NULL,
	"slug" text NOT NULL,
	"name" text NOT NULL,
	"path" text NOT NULL,
	"layout" text NOT NULL,
	"licence" text,
	"source" text,
	"status" text NOT NULL,
	"total" integer DEFAULT 0 NOT NULL,
	"processed" integer DEFAULT 0 NOT NULL,
	"skipped" integer DEFAULT 0 NOT NULL,
	"error" text,
	"pack_file" text,
	"pack_sha256" text,
	"max_resolution" integer NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"imported_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "images" (
	"id" text PRIMARY KEY NOT NULL,
	"model_id" text NOT NULL,
	"artist_id" text,
	"style_id" text,
	"genre_id" text,
	"seed" bigint NOT NULL,
	"truncation" double precision NOT NULL,
	"sha256" text NOT NULL,
	"width" integer NOT NULL,
	"height" integer NOT NULL,
	"kept_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "import_issues" (
	"dataset_id" text NOT NULL,
	"position" integer NOT NULL,
	"file" text NOT NULL,
	"code" text NOT NULL,
	"message" text NOT NULL,
	CONSTRAINT "import_issues_dataset_id_position_pk" PRIMARY KEY("dataset_id","position")
);
--> statement-breakpoint
CREATE TABLE "labels" (
	"id" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"slug" text NOT NULL,
	"name" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "models" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"run_id" text,
	"checkpoint_id" text,
	"sha256" text NOT NULL,
	"dir" text NOT NULL,
	"resolution" integer NOT NULL,
	"card" jsonb NOT NULL,
	"is_default" boolean DEFAULT false NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "run_events" (
	"run_id" text NOT NULL,
	"seq" integer NOT NULL,
	"at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"type" text NOT NULL,
	"body" jsonb NOT NULL,
	CONSTRAINT "run_events_run_id_seq_pk" PRIMARY KEY("run_id","seq")
);
--> statement-breakpoint
CREATE TABLE "training_runs" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"dataset_id" text NOT NULL,
	"preset" text NOT NULL,
	"config" jsonb NOT NULL,
	"resolution" integer NOT NULL,
	"seed" bigint NOT NULL,
	"total_steps" integer NOT NULL,
	"status" text NOT NULL,
	"wish" text,
	"step" integer DEFAULT 0 NOT NULL,
	"images_per_second" double precision,
	"eta_seconds" double precision,
	"device" text,
	"error" text,
	"failures" integer DEFAULT 0 NOT NULL,
	"fence" integer DEFAULT 0 NOT NULL,
	"lease_owner" text,
	"lease_until" timestamp (3) with time zone,
	"last_seq" integer DEFAULT 0 NOT NULL,
	"queued_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	"started_at" timestamp (3) with time zone,
	"finished_at" timestamp (3) with time zone,
	CONSTRAINT "runs_steps" CHECK ("training_runs"."total_steps" > 0)
);
--> statement-breakpoint
ALTER TABLE "artworks" ADD CONSTRAINT "artworks_dataset_id_datasets_id_fk" FOREIGN KEY ("dataset_id") REFERENCES "public"."datasets"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "artworks" ADD CONSTRAINT "artworks_artist_id_labels_id_fk" FOREIGN KEY ("artist_id") REFERENCES "public"."labels"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "artworks" ADD CONSTRAINT "artworks_style_id_labels_id_fk" FOREIGN KEY ("style_id") REFERENCES "public"."labels"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "artworks" ADD CONSTRAINT "artworks_genre_id_labels_id_fk" FOREIGN KEY ("genre_id") REFERENCES "public"."labels"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "checkpoints" ADD CONSTRAINT "checkpoints_run_id_training_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."training_runs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "images" ADD CONSTRAINT "images_model_id_models_id_fk" FOREIGN KEY ("model_id") REFERENCES "public"."models"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "images" ADD CONSTRAINT "images_artist_id_labels_id_fk" FOREIGN KEY ("artist_id") REFERENCES "public"."labels"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "images" ADD CONSTRAINT "images_style_id_labels_id_fk" FOREIGN KEY ("style_id") REFERENCES "public"."labels"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "images" ADD CONSTRAINT "images_genre_id_labels_id_fk" FOREIGN KEY ("genre_id") REFERENCES "public"."labels"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "import_issues" ADD CONSTRAINT "import_issues_dataset_id_datasets_id_fk" FOREIGN KEY ("dataset_id") REFERENCES "public"."datasets"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "models" ADD CONSTRAINT "models_run_id_training_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."training_runs"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "models" ADD CONSTRAINT "models_checkpoint_id_checkpoints_id_fk" FOREIGN KEY ("checkpoint_id") REFERENCES "public"."checkpoints"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "run_events" ADD CONSTRAINT "run_events_run_id_training_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."training_runs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "training_runs" ADD CONSTRAINT "training_runs_dataset_id_datasets_id_fk" FOREIGN KEY ("dataset_id") REFERENCES "public"."datasets"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "artworks_dataset_file" ON "artworks" USING btree ("dataset_id","file");--> statement-breakpoint
CREATE INDEX "artworks_artist" ON "artworks" USING btree ("artist_id","file","id");--> statement-breakpoint
CREATE INDEX "artworks_style" ON "artworks" USING btree ("style_id","file","id");--> statement-breakpoint
CREATE INDEX "artworks_genre" ON "artworks" USING btree ("genre_id","file","id");--> statement-breakpoint
CREATE UNIQUE INDEX "checkpoints_run_step" ON "checkpoints" USING btree ("run_id","step");--> statement-breakpoint
CREATE UNIQUE INDEX "datasets_slug" ON "datasets" USING btree ("slug");--> statement-breakpoint
CREATE INDEX "datasets_created" ON "datasets" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "images_kept" ON "images" USING btree ("kept_at","id");--> statement-breakpoint
CREATE INDEX "images_artist" ON "images" USING btree ("artist_id","kept_at","id");--> statement-breakpoint
CREATE INDEX "images_style" ON "images" USING btree ("style_id","kept_at","id");--> statement-breakpoint
CREATE INDEX "images_genre" ON "images" USING btree ("genre_id","kept_at","id");--> statement-breakpoint
CREATE UNIQUE INDEX "labels_kind_slug" ON "labels" USING btree ("kind","slug");--> statement-breakpoint
CREATE INDEX "labels_kind_name" ON "labels" USING btree ("kind","name","id");--> statement-breakpoint
CREATE INDEX "models_created" ON "models" USING btree ("created_at","id");--> statement-breakpoint
CREATE UNIQUE INDEX "models_one_default" ON "models" USING btree ("is_default") WHERE "models"."is_default";--> statement-breakpoint
CREATE UNIQUE INDEX "models_dir" ON "models" USING btree ("dir");--> statement-breakpoint
CREATE INDEX "run_events_type" ON "run_events" USING btree ("run_id","type","seq");--> statement-breakpoint
CREATE UNIQUE INDEX "run_events_sample" ON "run_events" USING btree (("body" ->> 'id')) WHERE "run_events"."type" = 'sample';--> statement-breakpoint
CREATE INDEX "runs_created" ON "training_runs" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "runs_queue" ON "training_runs" USING btree ("status","queued_at","id");