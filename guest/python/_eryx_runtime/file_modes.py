"""Files have no permission bits here; what would change them must still fail where nothing may."""

import os


def _make_chmod(change):
    def chmod(path, mode, *, dir_fd=None, follow_symlinks=True):
        """Change nothing, but fail if the file is missing or read-only."""
        change(path, mode, dir_fd=dir_fd, follow_symlinks=follow_symlinks)
        status = os.stat(path, dir_fd=dir_fd)
        times = (status.st_atime_ns, status.st_mtime_ns)
        os.utime(path, ns=times, dir_fd=dir_fd)  # which the host refuses for read-only files

    chmod.__text_signature__ = change.__text_signature__
    return chmod


def install() -> None:
    """Put it in the place of libc's chmod(), which says yes to everything."""
    os.chmod = _make_chmod(os.chmod)
