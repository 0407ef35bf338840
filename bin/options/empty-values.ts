import { type Argument, type Command, InvalidArgumentError, type Option } from 'commander';

/** Refuses an empty value: it comes from a variable of a script that is not set, and is never meant. */
function refuseEmpty(place: Option | Argument): void {
  const { parseArg } = place;
  place.parseArg = <T>(value: string, previous: T): T => {
    if (value === '')
      throw new InvalidArgumentError('It is empty; check that its variable is set.');
    return parseArg === undefined ? (value as T) : parseArg(value, previous);
  };
}

/** Makes a command refuse every option and argument whose value is empty, before it runs. */
export function refuseEmptyValues(command: Command): void {
  for (const option of command.options) {
    if (option.required || option.optional) refuseEmpty(option);
  }
  for (const argument of command.registeredArguments) refuseEmpty(argument);
}
