import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorsPage, messagesOfSource } from './error-catalogue.js';
import { ROOT } from './pages.js';

/** Writes `docs/reference/errors.md`, for `npm run docs:errors`. */
writeFileSync(join(ROOT, 'docs/reference/errors.md'), errorsPage(messagesOfSource()));
