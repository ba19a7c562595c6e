/*
 * Layout of the files in a saved session: rows of u64 in the byte order of the host.
 *
 *   last number, count of nodes; the nodes, the first two being /data and /tmp:
 *     type, number, three times as seconds and nanoseconds, then
 *     file:      size, count of chunks; each: offset, size, bytes
 *     directory: last cursor, count of entries; each: cursor, node, length, name. A node that is a
 *                directory comes after the one it lies in.
 *     link:      length, target
 *   count of handles; each:
 *     kind, value, file (enum store_file) and for one: item, flags
 */
#ifndef ERYX_LIVE_STORE_FORMAT_H
#define ERYX_LIVE_STORE_FORMAT_H

enum store_file {
    STORE_NO_FILE = 0,
    STORE_DATA = 1,   /* item: number of a node, seen through /data */
    STORE_TMP = 2,    /* the same, through /tmp */
    STORE_STDLIB = 3, /* item: entry of the archive */
    STORE_PLACE = 4,  /* item: place of the fixed tree */
};

#endif
