import { MAX_DEFINITION_BYTES, MAX_TUPLE_BYTES } from '../backup/limits.js';

/**
 * Numbers of the binary protocol that this package speaks.
 *
 * Source: the server's `src/box/iproto_constants.h`, the same from 2.6 to 3.x for those listed.
 */

/** Request and reply types, `enum iproto_type`. */
export const RequestType = {
  OK: 0,
  SELECT: 1,
  INSERT: 2,
  REPLACE: 3,
  DELETE: 5,
  EVAL: 8,
  UPSERT: 9,
  CALL: 10,
  PING: 64,
  VOTE: 68,
  FETCH_SNAPSHOT: 69,
  /** Since 2.10. */
  ID: 73,
} as const;

/** Set in the type of a reply that carries an error; the rest of the type is the error's code. */
export const ERROR_BIT = 0x8000;

/** Keys of headers and bodies, `enum iproto_key`. */
export const Key = {
  REQUEST_TYPE: 0x00,
  SYNC: 0x01,
  SCHEMA_VERSION: 0x05,
  SPACE_ID: 0x10,
  INDEX_ID: 0x11,
  LIMIT: 0x12,
  OFFSET: 0x13,
  ITERATOR: 0x14,
  INDEX_BASE: 0x15,
  KEY: 0x20,
  TUPLE: 0x21,
  FUNCTION_NAME: 0x22,
  VCLOCK: 0x26,
  EXPRESSION: 0x27,
  OPERATIONS: 0x28,
  BALLOT: 0x29,
  DATA: 0x30,
  ERROR_TEXT: 0x31,
  /** Since 2.11. */
  AUTH_TYPE: 0x5b,
} as const;

/** Keys of the map under `Key.BALLOT`, `enum iproto_ballot_key`. */
export const BallotKey = { VCLOCK: 0x02 } as const;

/** `enum iterator_type`, src/box/iterator_type.h. */
export const Iterator = { EQ: 0, ALL: 2, GT: 6 } as const;

/** Codes of `src/box/errcode.h` that decide what to do next. */
export const ErrorCode = {
  MEMORY_ISSUE: 2,
  TUPLE_FOUND: 3,
  UNSUPPORTED: 5,
  READONLY: 7,
  NO_SUCH_SPACE: 36,
  ACCESS_DENIED: 42,
  NO_SUCH_USER: 45,
  PASSWORD_MISMATCH: 47,
  UNKNOWN_REQUEST_TYPE: 48,
  MEMTX_MAX_TUPLE_SIZE: 110,
  LOADING: 116,
  VY_QUOTA_TIMEOUT: 135,
  VINYL_MAX_TUPLE_SIZE: 139,
  SYNC_QUORUM_TIMEOUT: 216,
  SYNC_ROLLBACK: 217,
  FIELD_CONSTRAINT_FAILED: 235,
  TUPLE_CONSTRAINT_FAILED: 236,
  FIELD_FOREIGN_KEY_FAILED: 239,
  COMPLEX_FOREIGN_KEY_FAILED: 240,
} as const;

/** Bytes of the greeting, `IPROTO_GREETING_SIZE`. */
export const GREETING_BYTES = 128;

/**
 * The largest packet that is held whole. The server's own limit on a body is 2 GiB
 * (`IPROTO_BODY_LEN_MAX`); what is held is one row, or a reply about the server itself. Pages of rows,
 * which may be larger, are taken apart while they arrive.
 */
export const MAX_PACKET_BYTES = MAX_TUPLE_BYTES + 1024 * 1024;

/**
 * The largest reply to a single request, which is held whole. A reply about the server itself takes some ten
 * bytes a space; the reply to an INSERT of a definition repeats that definition.
 */
export const MAX_REPLY_BYTES = MAX_DEFINITION_BYTES + 1024 * 1024;

/**
 * Values in a reply that is decoded, as `countValues` counts them: some 40 bytes of memory each. The longest reply
 * that a server has reason to send is a list of four numbers for each space: enough for 57,000 spaces.
 */
export const MAX_REPLY_VALUES = 400_000;

/** The largest reply to a login. It is empty, or carries a text. */
export const MAX_LOGIN_BYTES = 64 * 1024;

/** The largest header of a packet. Servers write 23 bytes before a reply, and up to 60 before a row. */
export const MAX_HEADER_BYTES = 1024;

/** Bytes of an error's text that are read: it may begin with two names, of 65,000 bytes each. */
export const MAX_ERROR_TEXT_BYTES = 160 * 1024;
