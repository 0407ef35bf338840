/** The clock of the process runs a hundred times as fast, so a line that is due in 10 s is due in 0.1 s. */
export const FAST_CLOCK = {
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(
    'const now = performance.now.bind(performance); performance.now = () => 100 * now();',
  )}`,
};
