/*
 * Records what a process does to the files of one folder, in order: writes with their bytes, syncs, truncations,
 * deletions, renames. Loaded with LD_PRELOAD; RECORDED_FOLDER names the folder, RECORDING the file that is written to.
 * Several processes may record into one file: a lock is held around each operation and its record.
 *
 * A record: operation (1 byte), length of the path (4), offset (8), length of the data (4), the path, the data; numbers
 * little-endian. Operations: w write, s sync, t truncate (to offset), u unlink, r rename (data: the new path).
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static int recording = -1;
static const char *folder;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off_t);
static int (*real_unlink)(const char *);
static int (*real_rename)(const char *, const char *);

__attribute__((constructor)) static void begin(void) {
  real_write = dlsym(RTLD_NEXT, "write");
  real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
  real_unlink = dlsym(RTLD_NEXT, "unlink");
  real_rename = dlsym(RTLD_NEXT, "rename");
  folder = getenv("RECORDED_FOLDER");
  const char *name = getenv("RECORDING");
  if (folder && name) recording = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static int concerns(const char *path) {
  return recording >= 0 && strncmp(path, folder, strlen(folder)) == 0;
}

/* The path of an open file, if it is to be recorded. */
static int path_of(int fd, char *path, size_t size) {
  if (recording < 0 || fd == recording) return 0;
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, size - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return concerns(path);
}

static void lock(void) {
  pthread_mutex_lock(&mutex);
  while (flock(recording, LOCK_EX) != 0) {
  }
}

static void unlock(void) {
  flock(recording, LOCK_UN);
  pthread_mutex_unlock(&mutex);
}

static void put(char operation, const char *path, uint64_t offset, const void *data, uint32_t length) {
  uint32_t path_length = strlen(path);
  char head[17];
  head[0] = operation;
  memcpy(head + 1, &path_length, 4);
  memcpy(head + 5, &offset, 8);
  memcpy(head + 13, &length, 4);
  struct iovec parts[3] = {{head, sizeof head}, {(void *)path, path_length}, {(void *)data, length}};
  if (writev(recording, parts, 3) != (ssize_t)(sizeof head + path_length + length)) abort();
}

ssize_t pwrite64(int fd, const void *data, size_t length, off_t offset) {
  char path[4096];
  if (!path_of(fd, path, sizeof path)) return real_pwrite(fd, data, length, offset);
  lock();
  ssize_t written = real_pwrite(fd, data, length, offset);
  if (written > 0) put('w', path, offset, data, written);
  unlock();
  return written;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { return pwrite64(fd, data, length, offset); }

ssize_t write(int fd, const void *data, size_t length) {
  char path[4096];
  if (!path_of(fd, path, sizeof path)) return real_write(fd, data, length);
  lock();
  struct stat entry;
  off_t offset = fcntl(fd, F_GETFL) & O_APPEND && fstat(fd, &entry) == 0 ? entry.st_size : lseek(fd, 0, SEEK_CUR);
  ssize_t written = real_write(fd, data, length);
  if (written > 0) put('w', path, offset, data, written);
  unlock();
  return written;
}

static int synced(int fd, int (*sync)(int)) {
  char path[4096];
  if (!path_of(fd, path, sizeof path)) return sync(fd);
  lock();
  int result = sync(fd);
  if (result == 0) put('s', path, 0, "", 0);
  unlock();
  return result;
}

int fsync(int fd) { return synced(fd, real_fsync); }

int fdatasync(int fd) { return synced(fd, real_fdatasync); }

int ftruncate64(int fd, off_t size) {
  char path[4096];
  if (!path_of(fd, path, sizeof path)) return real_ftruncate(fd, size);
  lock();
  int result = real_ftruncate(fd, size);
  if (result == 0) put('t', path, size, "", 0);
  unlock();
  return result;
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int unlink(const char *path) {
  if (!concerns(path)) return real_unlink(path);
  lock();
  int result = real_unlink(path);
  if (result == 0) put('u', path, 0, "", 0);
  unlock();
  return result;
}

int rename(const char *from, const char *to) {
  if (!concerns(from)) return real_rename(from, to);
  lock();
  int result = real_rename(from, to);
  if (result == 0) put('r', from, 0, to, strlen(to));
  unlock();
  return result;
}
