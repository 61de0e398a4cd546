// Counts what a process allocates, by thread: loaded before the C library (LD_PRELOAD) by Tests/Benchmarks/profile.
// ALLOCATION_COUNTS names the file of the counts: for each thread its identifier, its allocations and their bytes.
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

// glibc's own functions under the names that they have beside malloc.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

enum { threads = 256 };

// A thread writes its own; 64 bytes, so that no two threads share a line of the cache.
struct count {
    uint64_t thread, calls, bytes, unused[5];
};

static struct count *counts;
static atomic_uint taken;
// No memory of its own is allocated for it.
static __thread struct count *own __attribute__((tls_model("initial-exec")));

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("ALLOCATION_COUNTS");
    int file = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (file < 0 || ftruncate(file, threads * sizeof(struct count)) != 0) return;
    void *memory = mmap(NULL, threads * sizeof(struct count), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (memory != MAP_FAILED) counts = memory;
}

// Threads beyond the last place are not counted.
static void add(size_t bytes) {
    if (!counts) return;
    if (!own) {
        unsigned place = atomic_fetch_add_explicit(&taken, 1, memory_order_relaxed);
        if (place >= threads) {
            atomic_store_explicit(&taken, threads, memory_order_relaxed);
            return;
        }
        own = &counts[place];
        own->thread = (uint64_t)gettid();
    }
    own->calls++;
    own->bytes += bytes;
}

void *malloc(size_t size) {
    add(size);
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    add(number * size);
    return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) {
    add(size);
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    add(size);
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **memory, size_t alignment, size_t size) {
    *memory = memalign(alignment, size);
    return *memory ? 0 : ENOMEM;
}
