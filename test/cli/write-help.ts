import { writeHelpPages } from './help-pages.js';

writeHelpPages();
