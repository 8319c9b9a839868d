/* A full disk, for as long as a test says so: loaded before the program, it stands between SQLite and the system. Nobody needs a
   right for it, which a file system of their own would take. What is written otherwise than to a place in a file goes on. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

static volatile int is_full;

void wanhu_disk_full(int now) { is_full = now; }

ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t place) {
    if (is_full) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_pwrite64, file, bytes, size, place);
}
