/** The id after `BOX_SYSTEM_ID_MAX` of the server's `src/box/schema_def.h`. */
export const FIRST_USER_SPACE = 512;
/** `BOX_SPACE_MAX`, in the same file. */
export const MAX_SPACE_ID = 0x7fffffff;
