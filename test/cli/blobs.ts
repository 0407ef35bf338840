/** Rows that no compression makes smaller, so that what is dumped is as large as what is stored. */
const ROW_BYTES = 1000;
const ROWS_PER_MB = 1_000_000 / ROW_BYTES;

/** Lua that makes a space `blobs` of so many megabytes, and a space `few` of 10 rows behind it. */
export function blobs(megabytes: number): string {
  return `
    local digest = require('digest')
    local blobs = box.schema.space.create('blobs')
    blobs:create_index('primary')
    for batch = 0, ${megabytes - 1} do
        box.begin()
        for row = 1, ${ROWS_PER_MB} do
            blobs:insert({batch * ${ROWS_PER_MB} + row, digest.urandom(${ROW_BYTES})})
        end
        box.commit()
    end
    local few = box.schema.space.create('few')
    few:create_index('primary')
    for row = 1, 10 do
        few:insert({row, 'row ' .. row})
    end
  `;
}

/** Rows in the space `blobs` of so many megabytes. */
export function blobRows(megabytes: number): number {
  return megabytes * ROWS_PER_MB;
}
