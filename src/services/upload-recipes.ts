/** The recipe that an uploaded file held, as one of this server: the model that has the same weights paints it again. */
import { AppError } from '../core/errors.ts';
import { readRecipe } from '../core/picture-metadata.ts';
import type { Recipe } from '../core/recipe.ts';
import type { Db } from '../store/db.ts';
import { modelsBySha256 } from '../store/models.ts';
import type { UploadRow } from '../store/upload-tables.ts';
import { knowsRecipe } from './conditions.ts';
import type { ModelService } from './models.ts';

export interface RecipeParts {
  readonly db: Db;
  readonly models: Pick<ModelService, 'cardOf'>;
  /** Whether the stored file of an upload is here. */
  readonly hasFile: (sha256: string) => Promise<boolean>;
}

/** @throws AppError NO_RECIPE, UNKNOWN_MODEL with the hash of the model that is missing */
export async function recipeOfUpload(
  { recipe: text }: Pick<UploadRow, 'recipe'>,
  { db, models, hasFile }: RecipeParts,
): Promise<Recipe> {
  const found = text === null ? undefined : readRecipe(text);
  if (found === undefined) {
    const message =
      'The file holds no recipe. The pictures that this server gives out do (PNG, WebP, JPEG and AVIF), so long as no program has taken their metadata away, as chats and social networks do. Those that older versions put into the gallery do not.';
    throw noRecipe(message);
  }
  if (found.kind === 'newer') {
    const message = `The file's recipe is of version ${found.version}, and this server knows those up to 2: update it.`;
    throw noRecipe(message);
  }
  const { recipe } = found;
  const { source, modelId: sha256 } = recipe;
  // The oldest is the one that others may be copies of.
  const here = (await modelsBySha256(db, sha256)).sort((a, b) => +a.createdAt - +b.createdAt || (a.id < b.id ? -1 : 1));
  if (here.length === 0) {
    const message = `The model that painted it is not here. Its weights have the SHA-256 ${sha256}: export it where it is and bring it here with importModel.`;
    throw new AppError('UNKNOWN_MODEL', message, { path: ['upload'] });
  }
  const model = here.find((row) => knowsRecipe(models.cardOf(row), recipe));
  if (model === undefined) {
    const message = `The model "${here[0]?.name}" has the right weights, but does not know what the file's recipe asks of it.`;
    throw noRecipe(message);
  }
  if (source.kind === 'upload' && !(await hasFile(source.sha256))) {
    const message = `It repaints an upload that is not here (SHA-256 ${source.sha256} as it was stored): a recipe names such a picture, but does not hold it.`;
    throw noRecipe(message);
  }
  return { ...recipe, modelId: model.id };
}

function noRecipe(message: string): AppError {
  return new AppError('NO_RECIPE', message, { path: ['upload'] });
}
