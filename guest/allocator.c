#include "allocator.h"

#include "host.h"
#include "pressure.h"
#include "python_api.h"
#include "reserve.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAGE_SHIFT = 14,
    PAGE_SIZE = 1 << PAGE_SHIFT,
    PAGES_PER_ARENA = 16,
    ARENA_SHIFT = PAGE_SHIFT + 4,
    ARENA_SIZE = 1 << ARENA_SHIFT, /* as large as it is aligned */
    /* Of that, left to libc: the header of the block that follows, which itself lies beyond. */
    ARENA_TAIL = 16,
    KEPT_EMPTY_PAGES = 64, /* those beyond are given back if their arena is empty */
    BLOCK_STEP = 16,       /* sizes are multiples of it, and so are addresses */
    BLOCK_LIMIT = 512,
    CLASS_COUNT = BLOCK_LIMIT / BLOCK_STEP +
        1, /* class n holds blocks of n * BLOCK_STEP; 0 is none */
    EXTEND_BYTES =
        4096, /* memory of a page made into blocks at a time, to leave the rest untouched */
};

/*
 * At the start of each page. A page with a free block is listed under its class; a full one is not,
 * until a block of it is freed.
 */
struct page {
    void *free_blocks;  /* singly linked through their first word */
    uint32_t used;      /* blocks handed out */
    uint32_t notice_at; /* value of used, before a block is freed, that needs more than a push */
    uint32_t size_class;
    uint16_t made;     /* blocks that the page has been divided into so far */
    uint16_t capacity; /* blocks that it can be divided into */
    bool listed;
    struct page *next;
    struct page *previous;
};

#define PAGE_HEADER ((sizeof(struct page) + BLOCK_STEP - 1) / BLOCK_STEP * BLOCK_STEP)

/* The size class of each page of the address space; 0 where the memory is not ours. Untouched parts
 * of it cost nothing. */
static uint8_t class_of_page[1u << (32 - PAGE_SHIFT)];

/* Stands where a class has no page, so that allocating needs no test for it. */
static struct page no_page;

static struct page *first_page[CLASS_COUNT]; /* pages with free blocks, or &no_page */
static struct page *empty_pages;             /* pages of no class, linked both ways */
static unsigned empty_page_count;
static uint8_t empty_pages_of[1u << (32 - ARENA_SHIFT)]; /* of each arena */
static char *arena;                                      /* pages not used yet, not even linked */
static unsigned arena_pages_left;

static struct page *page_of(const void *block)
{
    return (struct page *)((uintptr_t)block & ~(uintptr_t)(PAGE_SIZE - 1));
}

static unsigned class_of(const void *block)
{
    return class_of_page[(uintptr_t)block >> PAGE_SHIFT];
}

static void list_insert(struct page *page)
{
    page->listed = true;
    page->notice_at = 1;
    struct page *next = first_page[page->size_class];
    page->previous = NULL;
    page->next = next;
    if (next != &no_page) {
        next->previous = page;
    }
    first_page[page->size_class] = page;
}

static void list_remove(struct page *page)
{
    page->listed = false;
    page->notice_at = page->used;
    if (page->previous != NULL) {
        page->previous->next = page->next;
    } else {
        first_page[page->size_class] = page->next;
    }
    if (page->next != &no_page) {
        page->next->previous = page->previous;
    }
}

static unsigned arena_of(const void *page)
{
    return (unsigned)((uintptr_t)page >> ARENA_SHIFT);
}

static void empty_remove(struct page *page)
{
    if (page->previous != NULL) {
        page->previous->next = page->next;
    } else {
        empty_pages = page->next;
    }
    if (page->next != NULL) {
        page->next->previous = page->previous;
    }
    empty_page_count--;
    empty_pages_of[arena_of(page)]--;
}

static void arena_give_back(char *empty)
{
    for (unsigned i = 0; i < PAGES_PER_ARENA; i++) {
        empty_remove((struct page *)(void *)(empty + i * PAGE_SIZE));
    }
    free(empty);
}

static void page_give_back(struct page *page)
{
    class_of_page[(uintptr_t)page >> PAGE_SHIFT] = 0;
    pressure_remove(PAGE_SIZE);
    page->previous = NULL;
    page->next = empty_pages;
    if (empty_pages != NULL) {
        empty_pages->previous = page;
    }
    empty_pages = page;
    empty_page_count++;
    /* All pages of an arena are linked only after all of them have been used. */
    if (++empty_pages_of[arena_of(page)] == PAGES_PER_ARENA &&
        empty_page_count > KEPT_EMPTY_PAGES) {
        arena_give_back((char *)((uintptr_t)page & ~(uintptr_t)(ARENA_SIZE - 1)));
    }
}

/* Divides some more of a page into blocks; false if it is divided up. */
static bool page_extend(struct page *page)
{
    size_t size = (size_t)page->size_class * BLOCK_STEP;
    unsigned count = EXTEND_BYTES / (unsigned)size;
    char *block = (char *)page + PAGE_HEADER + page->made * size;
    unsigned left = (unsigned)page->capacity - page->made;
    if (count > left) {
        count = left;
    }
    if (count == 0) {
        return false;
    }
    page->free_blocks = block;
    for (unsigned i = 1; i < count; i++) {
        *(void **)(void *)block = block + size;
        block += size;
    }
    *(void **)(void *)block = NULL;
    page->made = (uint16_t)(page->made + count);
    return true;
}

/* A page that has never been used; NULL if there is no memory. */
static struct page *page_make(void)
{
    if (arena_pages_left == 0) {
        arena = aligned_alloc(ARENA_SIZE, ARENA_SIZE - ARENA_TAIL);
        if (arena == NULL) {
            return NULL;
        }
        arena_pages_left = PAGES_PER_ARENA;
    }
    struct page *page = (struct page *)(void *)arena;
    arena += PAGE_SIZE;
    arena_pages_left--;
    return page;
}

/* Bytes for blocks; the last page of an arena has a little less. */
static size_t page_room(const struct page *page)
{
    bool last = ((uintptr_t)page & (ARENA_SIZE - 1)) == ARENA_SIZE - PAGE_SIZE;
    return PAGE_SIZE - PAGE_HEADER - (last ? ARENA_TAIL : 0);
}

/* An empty page for a class; NULL if there is no memory. */
static struct page *page_take(unsigned size_class)
{
    struct page *page = empty_pages;
    if (page != NULL) {
        empty_remove(page);
    } else {
        page = page_make();
        if (page == NULL) {
            return NULL;
        }
    }
    pressure_add(PAGE_SIZE);
    page->free_blocks = NULL;
    page->used = 0;
    page->size_class = size_class;
    page->made = 0;
    page->capacity = (uint16_t)(page_room(page) / (size_class * BLOCK_STEP));
    class_of_page[(uintptr_t)page >> PAGE_SHIFT] = (uint8_t)size_class;
    list_insert(page);
    return page;
}

static __attribute__((noinline)) void *allocate_slowly(unsigned size_class)
{
    for (;;) {
        struct page *page = first_page[size_class];
        if (page == &no_page) {
            page = page_take(size_class);
            if (page == NULL) {
                size_t size = (size_t)size_class * BLOCK_STEP;
                if (pressure_relieve(size, false)) {
                    continue;
                }
                return pressure_take_reserve(size);
            }
        }
        if (page->free_blocks != NULL || page_extend(page)) {
            void *block = page->free_blocks;
            page->free_blocks = *(void **)block;
            page->used++;
            return block;
        }
        /* Full: out of the list until one of its blocks is freed. */
        list_remove(page);
    }
}

/* After a block was freed on a page that had notice_at blocks in use. */
static __attribute__((noinline)) void page_changed(struct page *page)
{
    if (!page->listed) {
        list_insert(page);
    }
    /* The last page of a class stays, so that a lone block coming and going is cheap. */
    if (page->used == 0 && (page->previous != NULL || page->next != &no_page)) {
        list_remove(page);
        page_give_back(page);
    }
}

static void *small_allocate(size_t size)
{
    unsigned size_class = (unsigned)((size + BLOCK_STEP - 1) / BLOCK_STEP);
    size_class += size_class == 0;
    struct page *page = first_page[size_class];
    void *block = page->free_blocks;
    if (__builtin_expect(block == NULL, 0)) {
        return allocate_slowly(size_class);
    }
    page->free_blocks = *(void **)block;
    page->used++;
    return block;
}

/* ---- Blocks from libc --------------------------------------------------------------------------
 */

static char object_domain; /* its address is the context of the domain "obj" */

/* block: what libc gave for the size. Gives what the caller gets, which is not to be cleared any
 * more if block was not. */
static void *large_taken(void *context, void *block, size_t size, bool clear)
{
    if (__builtin_expect(block == NULL, 0)) {
        if (pressure_relieve(size, context == &object_domain)) {
            block = malloc(size);
        }
        if (block == NULL) {
            block = pressure_take_reserve(size);
            return block != NULL && clear ? memset(block, 0, size) : block;
        }
        if (clear) {
            memset(block, 0, size);
        }
    }
    pressure_add(malloc_usable_size(block));
    return block;
}

static __attribute__((noinline)) void large_free(void *block)
{
    if (block == NULL) {
        return;
    }
    if (reserve_has(block)) {
        reserve_free(block);
        return;
    }
    pressure_remove(malloc_usable_size(block));
    free(block);
}

/* Of a block of libc's, which stays as it is if there is no memory. */
static void *large_realloc(void *block, size_t size)
{
    size_t present = malloc_usable_size(block);
    void *moved = realloc(block, size);
    if (moved == NULL && pressure_relieve(size, false)) {
        moved = realloc(block, size);
    }
    if (moved == NULL) {
        moved = pressure_take_reserve(size);
        if (moved != NULL) {
            memcpy(moved, block, size < present ? size : present);
            large_free(block);
        }
        return moved;
    }
    pressure_remove(present);
    pressure_add(malloc_usable_size(moved));
    return moved;
}

/* ---- Python's allocator ------------------------------------------------------------------------
 */

/* CPython calls these two by their names (toolchain/cpython/quick-objects.patch). */
GUEST_EXPORT(allocator_malloc) void *allocator_malloc(void *context, size_t size);
GUEST_EXPORT(allocator_free) void allocator_free(void *context, void *block);

void *allocator_malloc(void *context, size_t size)
{
    if (__builtin_expect(size <= BLOCK_LIMIT, 1)) {
        return small_allocate(size);
    }
    return large_taken(context, malloc(size), size, false);
}

static void *allocator_calloc(void *context, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        return NULL;
    }
    if (total > BLOCK_LIMIT) {
        return large_taken(context, calloc(count, size), total, true);
    }
    void *block = small_allocate(total);
    if (block != NULL) {
        memset(block, 0, total);
    }
    return block;
}

void allocator_free(void *context, void *block)
{
    (void)context;
    if (class_of(block) == 0) {
        large_free(block); /* also where block is NULL */
        return;
    }
    struct page *page = page_of(block);
    *(void **)block = page->free_blocks;
    page->free_blocks = block;
    if (__builtin_expect(page->used-- == page->notice_at, 0)) {
        page_changed(page);
    }
}

static void *allocator_realloc(void *context, void *block, size_t size)
{
    if (block == NULL) {
        return allocator_malloc(context, size);
    }
    size_t present = (size_t)class_of(block) * BLOCK_STEP;
    if (present == 0) {
        if (reserve_has(block)) {
            present = reserve_block_size(block);
        } else if (size > BLOCK_LIMIT) {
            return large_realloc(block, size);
        } else {
            present = size; /* it was larger */
        }
    } else if (size <= present && size + present / 4 >= present) {
        return block;
    }
    void *copy = allocator_malloc(context, size);
    if (copy == NULL) {
        return NULL;
    }
    memcpy(copy, block, size < present ? size : present);
    allocator_free(context, block);
    return copy;
}

void allocator_install(void)
{
    PyMemAllocatorEx allocator = {
        .malloc = allocator_malloc,
        .calloc = allocator_calloc,
        .realloc = allocator_realloc,
        .free = allocator_free,
    };
    for (unsigned i = 0; i < CLASS_COUNT; i++) {
        first_page[i] = &no_page;
    }
    PyMem_SetAllocator(PYMEM_DOMAIN_MEM, &allocator);
    allocator.ctx = &object_domain;
    PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &allocator);
}

void allocator_start_fresh(void)
{
    for (unsigned i = 1; i < CLASS_COUNT; i++) {
        while (first_page[i] != &no_page) {
            struct page *page = first_page[i];
            list_remove(page); /* it comes back when a block of it is freed */
            if (page->used == 0) {
                page_give_back(page);
            }
        }
    }
}
