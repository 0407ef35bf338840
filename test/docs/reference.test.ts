import { PAGES } from './pages.js';
import { testShellBlocks } from './shell.js';

describe('all pages but the guides', () => {
  testShellBlocks(PAGES.filter(({ path }) => !path.startsWith('docs/guides/')));
});
