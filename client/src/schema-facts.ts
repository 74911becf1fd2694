/** Made from the schema by `npm run client:documents`; not to be edited by hand. */

/** The types that each interface stands for. */
export const possibleTypes: Record<string, string[]> = {
  "Label": [
    "Artist",
    "Genre",
    "Style"
  ],
  "Node": [
    "Animation",
    "ApiKey",
    "Artist",
    "Artwork",
    "Checkpoint",
    "Collection",
    "Dataset",
    "GeneratedImage",
    "Generation",
    "Genre",
    "Model",
    "Style",
    "TrainingRun",
    "TrainingSample",
    "Upload"
  ],
  "TrainingEvent": [
    "TrainingMeasures",
    "TrainingMetrics",
    "TrainingSample",
    "TrainingStateChanged"
  ],
  "UserError": [
    "SimpleUserError"
  ]
};

/** Fields that come in pages, by type: the arguments that say which list it is. */
export const connectionFields: Record<string, Record<string, string[]>> = {
  "Artist": {
    "artworks": [
      "where",
      "orderBy"
    ],
    "generatedImages": [
      "where",
      "orderBy"
    ]
  },
  "Collection": {
    "images": [
      "where",
      "orderBy"
    ]
  },
  "Dataset": {
    "artists": [
      "where",
      "orderBy"
    ],
    "styles": [
      "where",
      "orderBy"
    ],
    "genres": [
      "where",
      "orderBy"
    ]
  },
  "DatasetImport": {
    "issues": []
  },
  "Generation": {
    "images": []
  },
  "Genre": {
    "artworks": [
      "where",
      "orderBy"
    ],
    "generatedImages": [
      "where",
      "orderBy"
    ]
  },
  "Query": {
    "apiKeys": [],
    "artists": [
      "where",
      "orderBy"
    ],
    "artworks": [
      "where",
      "orderBy"
    ],
    "collections": [
      "orderBy"
    ],
    "datasets": [
      "where",
      "orderBy"
    ],
    "generatedImages": [
      "where",
      "orderBy"
    ],
    "generations": [
      "where",
      "orderBy"
    ],
    "genres": [
      "where",
      "orderBy"
    ],
    "models": [
      "where",
      "orderBy"
    ],
    "styles": [
      "where",
      "orderBy"
    ],
    "trainingRuns": [
      "where",
      "orderBy"
    ],
    "uploads": []
  },
  "Style": {
    "artworks": [
      "where",
      "orderBy"
    ],
    "generatedImages": [
      "where",
      "orderBy"
    ]
  },
  "TrainingRun": {
    "samples": [
      "where",
      "orderBy"
    ]
  }
};

/** Subscriptions: the arguments that say which stream it is. */
export const streamFields: Record<string, string[]> = {
  "datasetImportProgress": [
    "dataset"
  ],
  "generatedImageAdded": [],
  "generationProgress": [
    "generation"
  ],
  "trainingProgress": [
    "run"
  ],
  "trainingRunChanged": []
};
