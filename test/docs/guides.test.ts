import { PAGES } from './pages.js';
import { testShellBlocks } from './shell.js';

describe('the guides', () => {
  testShellBlocks(PAGES.filter(({ path }) => path.startsWith('docs/guides/')));
});
