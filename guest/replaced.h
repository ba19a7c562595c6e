/*
 * Functions of libc that the guest has its own of. Other libraries are linked to the guest's; these
 * are the ones that were replaced (toolchain/link.py).
 */
#ifndef ERYX_GUEST_REPLACED_H
#define ERYX_GUEST_REPLACED_H

#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

off_t __eryx_replaced_lseek(int file, off_t offset, int whence);
off_t __eryx_replaced___wasilibc_tell(int file);
int __eryx_replaced_fstat(int file, struct stat *status);
int __eryx_replaced_close(int file);
ssize_t __eryx_replaced_read(int file, void *bytes, size_t size);
ssize_t __eryx_replaced_pread(int file, void *bytes, size_t size, off_t position);
ssize_t __eryx_replaced_pwrite(int file, const void *bytes, size_t size, off_t position);
int __eryx_replaced_chdir(const char *path);
int __eryx_replaced___wasilibc_find_relpath_alloc(const char *path, const char **prefix,
                                                  char **relative, size_t *relative_size,
                                                  int may_grow);

/* libc's own: without modes, and with paths from the directory that is given. */
int __wasilibc_open_nomode(const char *path, int flags);
int __wasilibc_nocwd_openat_nomode(int directory, const char *path, int flags);
int __wasilibc_nocwd_mkdirat_nomode(int directory, const char *path);
int __wasilibc_stat(const char *path, struct stat *status, int flags);
int __wasilibc_nocwd_fstatat(int directory, const char *path, struct stat *status, int flags);

/* The open directory "/" and the path from it, in memory that belongs to the caller and grows; -1
 * and errno for an empty path, or without memory. */
int __wasilibc_find_relpath_alloc(const char *path, const char **prefix, char **relative,
                                  size_t *relative_size, int may_grow);

#define REPLACES __attribute__((visibility("default")))

#endif
