/** GraphiQL at /explore, from the installed packages: nothing is fetched from elsewhere. Its requests go through the pipeline. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import express, { type Router } from 'express';

const require = createRequire(import.meta.url);

/** By the name under /explore/. */
const FILES = new Map([
  ['react.js', ['react', 'umd/react.production.min.js']],
  ['react-dom.js', ['react-dom', 'umd/react-dom.production.min.js']],
  ['graphiql.js', ['graphiql', 'graphiql.min.js']],
  ['graphiql.css', ['graphiql', 'graphiql.min.css']],
] as const);
const A_DAY_MS = 86_400_000;

/** GraphiQL sets styles of elements, and has its pictures in them. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'";

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width" />
    <title>artgan: explore</title>
    <link rel="stylesheet" href="explore/graphiql.css" />
    <style>
      html, body, #explore { height: 100%; margin: 0; }
    </style>
  </head>
  <body>
    <div id="explore">Loading …</div>
    <script src="explore/react.js"></script>
    <script src="explore/react-dom.js"></script>
    <script src="explore/graphiql.js"></script>
    <script src="explore/page.js"></script>
  </body>
</html>
`;

/** In the browser. Answers come as JSON; subscriptions as Server-Sent Events, read by fetch so that headers go with them. */
const SCRIPT = `'use strict';
const url = new URL('graphql', location.href.replace(/explore.*$/, '')).href;
const isSubscription = (query, name) =>
  new RegExp('(^|[\\\\s}])subscription' + (name ? '\\\\s+' + name : '') + '\\\\b').test(query.replace(/#.*/g, ''));

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (let text = ''; ; ) {
      const { done, value } = await reader.read();
      if (done) return;
      text += value;
      for (let end = text.indexOf('\\n\\n'); end >= 0; end = text.indexOf('\\n\\n')) {
        const lines = text.slice(0, end).split('\\n');
        text = text.slice(end + 2);
        if (lines.includes('event: complete')) return;
        const data = lines.find((line) => line.startsWith('data: '));
        if (data) yield JSON.parse(data.slice(6));
      }
    }
  } finally {
    reader.cancel();
  }
}

async function* stream(response) {
  if (response.headers.get('content-type').startsWith('text/event-stream')) yield* events(response.body);
  else yield await response.json();
}

async function ask(params, { headers } = {}) {
  const streams = isSubscription(params.query, params.operationName);
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: streams ? 'text/event-stream' : 'application/json',
      ...headers,
    },
    body: JSON.stringify(params),
  });
  return streams ? stream(response) : response.json();
}

const WELCOME = \`# Ctrl-Enter runs it. With API keys: {"authorization": "Bearer <key>"} under Headers.
query Generate {
  generate(label: "Ukiyo-e", n: 8) {
    seed
    url
  }
}
\`;

ReactDOM.createRoot(document.getElementById('explore')).render(
  React.createElement(GraphiQL, { fetcher: ask, defaultQuery: WELCOME, shouldPersistHeaders: false }),
);
`;

export function explorerRoutes(): Router {
  const router = express.Router();
  router.use('/explore', (_request, response, next) => {
    response.set({ 'Content-Security-Policy': POLICY, 'X-Content-Type-Options': 'nosniff' });
    next();
  });
  router.get('/explore', (request, response) => {
    // Its files are found from here, below whatever path a proxy puts before it.
    if (request.path.endsWith('/')) response.redirect('../explore');
    else response.type('html').send(PAGE);
  });
  router.get('/explore/page.js', (_request, response) => {
    response.type('js').send(SCRIPT);
  });
  for (const [name, [packageName, file]] of FILES) {
    const path = join(dirname(require.resolve(`${packageName}/package.json`)), file);
    router.get(`/explore/${name}`, (_request, response) => {
      response.sendFile(path, { maxAge: A_DAY_MS, dotfiles: 'allow' });
    });
  }
  return router;
}
