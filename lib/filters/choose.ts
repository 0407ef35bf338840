import { TntarError } from '../base/errors.js';
import { thereAre } from '../base/report.js';
import { onlySpaces, withoutSpaces } from '../schema/select/selection.js';
import type { Filter } from './filter.js';
import { GlobBudget } from './glob.js';
import { checkIdle, NamePatterns, patternList } from './name-patterns.js';

/**
 * A choice of spaces by patterns such as `app_*`, `log_?` or `{users,orders}`.
 *
 * @example
 * const choice: Choice = { only: ['app_*'], except: ['app_log', 'app_cache'] };
 */
export interface Choice {
  /** Include only spaces with matching names; all if there are no patterns. */
  only?: readonly string[];
  /** Exclude spaces with matching names, even if a pattern above matches them. */
  except?: readonly string[];
  /** True if a pattern may match no space, for example in one of two databases that are compared. */
  mayLack?: boolean;
}

/**
 * Chooses spaces by name. Their rows are not read. With `only`, everything that the spaces need is included
 * (sequences, functions, collations), and users, roles, grants and marks are left out.
 *
 * @returns a filter that throws a TntarError of kind `usage`, before the first row, for a pattern that matches no
 * space
 * @example
 * await dump(server, output, { filters: [chooseSpaces({ only: ['app_*'] })] });
 */
export function chooseSpaces(choice: Choice): Filter {
  const { only = [], except = [], mayLack = false } = choice;
  const budget = new GlobBudget();
  const wanted = new NamePatterns(only, budget);
  const unwanted = new NamePatterns(except, budget);
  const isKept = (name: string): boolean =>
    (only.length === 0 || wanted.fit(name)) && !unwanted.fit(name);
  const words = [
    ...(only.length === 0 ? [] : [`only spaces ${patternList(only)} and what they need`]),
    ...(except.length === 0 ? [] : [`no spaces ${patternList(except)}`]),
  ];
  return {
    partial: words.join(', '),
    wants: isKept,
    head(head) {
      wanted.renew();
      unwanted.renew();
      const names = head.manifest.spaces.map(({ name }) => name);
      if (!mayLack) {
        checkIdle([...wanted.idle(names), ...unwanted.idle(names)], names);
        if (names.length > 0 && !names.some(isKept)) {
          const message = 'no space is left: --exclude leaves out everything that --space chooses';
          throw new TntarError('usage', message, { hint: thereAre(names) });
        }
      }
      const select = only.length === 0 ? withoutSpaces : onlySpaces;
      return select(head, ({ name }) => isKept(name));
    },
  };
}
