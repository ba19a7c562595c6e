/*
 * Layout of the files in a saved session: rows of u64 in the byte order of the host.
 *
 *   count of overlays; the length and path of each
 *   count of trees; each: length and path of the place where its storage is mounted, last number,
 *   count of nodes; the nodes. The first tree has no path, and begins with /data, /tmp
 *   and what was written in the overlays; the others begin with their root:
 *     type, number, mode, three times as seconds and nanoseconds, the length of its origin plus one
 *     or 0 for none, its origin, then
 *     file:      size, count of chunks; each: offset, size, bytes
 *     directory: last cursor, count of entries; each: cursor, node, length, name. A node that is a
 *                directory comes after the one it lies in.
 *     link:      length, target
 *     whiteout:  0
 *   count of handles; each:
 *     kind, value, file (enum store_file) and for one: item, flags; for a storage, its tree
 */
#ifndef ERYX_STATE_STORE_FORMAT_H
#define ERYX_STATE_STORE_FORMAT_H

enum store_file {
    STORE_NO_FILE = 0,
    STORE_DATA = 1,     /* item: number of a node, seen through /data */
    STORE_TMP = 2,      /* the same, through /tmp */
    STORE_STDLIB = 3,   /* item: entry of the archive */
    STORE_PLACE = 4,    /* item: place of the fixed tree */
    STORE_PACKAGES = 5, /* item: entry of the archive at /site-packages */
    STORE_OVERLAY = 7,  /* item: number of a node; then the overlay, by its place in the list */
    STORE_STORAGE = 6,  /* item: number of a node of a storage */
};

#endif
