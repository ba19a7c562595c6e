#include "redact.h"

#include <stdlib.h>
#include <string.h>

#include "redact_forms.h"
#include "secret_memory.h"

/* A form that several secrets have: it is looked for if any secret is. */
#define SHARED UINT16_MAX

/*
 * An automaton of Aho and Corasick: node 0 is the root, the others are begins of forms. A node's
 * children are a list, which is short everywhere but at the root; that one has a table.
 */
typedef struct redact_node {
    uint32_t child;   /* first one, 0 for none */
    uint32_t sibling; /* next one, 0 for none */
    uint32_t fail;    /* the longest end of this begin that is a node as well */
    uint32_t shorter; /* the longest such end that is a whole form, 0 for none */
    uint32_t depth;
    uint16_t secret; /* whose form ends here */
    bool is_form;
    uint8_t byte;
} redact_node;

struct redact_matcher {
    redact_node *nodes;
    uint32_t count;
    uint32_t allocated;
    uint16_t secret; /* whose forms are being added */
    uint32_t roots[256];
};

static bool grow_nodes(redact_matcher *matcher)
{
    uint32_t allocated = matcher->allocated < 256 ? 256 : 2 * matcher->allocated;
    redact_node *nodes = secret_memory_create(allocated * sizeof *nodes);
    if (nodes == NULL) {
        return false;
    }
    if (matcher->count > 0) {
        memcpy(nodes, matcher->nodes, matcher->count * sizeof *nodes);
    }
    secret_memory_destroy(matcher->nodes, matcher->allocated * sizeof *nodes);
    matcher->nodes = nodes;
    matcher->allocated = allocated;
    return true;
}

static uint32_t child_of(const redact_matcher *matcher, uint32_t node, uint8_t byte)
{
    if (node == 0) {
        return matcher->roots[byte];
    }
    uint32_t child = matcher->nodes[node].child;
    while (child != 0 && matcher->nodes[child].byte != byte) {
        child = matcher->nodes[child].sibling;
    }
    return child;
}

static bool add_form(void *context, const uint8_t *form, size_t size)
{
    redact_matcher *matcher = context;
    uint32_t node = 0;
    for (size_t i = 0; i < size; i++) {
        uint32_t child = child_of(matcher, node, form[i]);
        if (child == 0) {
            if (matcher->count == matcher->allocated && !grow_nodes(matcher)) {
                return false;
            }
            child = matcher->count++;
            redact_node *nodes = matcher->nodes;
            nodes[child] = (redact_node){
                .byte = form[i], .depth = nodes[node].depth + 1, .sibling = nodes[node].child};
            nodes[node].child = child;
            if (node == 0) {
                matcher->roots[form[i]] = child;
            }
        }
        node = child;
    }
    redact_node *last = &matcher->nodes[node];
    last->secret = last->is_form && last->secret != matcher->secret ? SHARED : matcher->secret;
    last->is_form = true;
    return true;
}

/* The node that a byte leads to. */
static uint32_t next_state(const redact_matcher *matcher, uint32_t state, uint8_t byte)
{
    for (;;) {
        uint32_t child = child_of(matcher, state, byte);
        if (child != 0 || state == 0) {
            return child;
        }
        state = matcher->nodes[state].fail;
    }
}

/* Sets fail and shorter, level by level. */
static bool link_nodes(redact_matcher *matcher)
{
    redact_node *nodes = matcher->nodes;
    uint32_t *queue = malloc(matcher->count * sizeof *queue);
    if (queue == NULL) {
        return false;
    }
    uint32_t first = 0;
    uint32_t last = 0;
    queue[last++] = 0;
    while (first < last) {
        uint32_t node = queue[first++];
        for (uint32_t child = nodes[node].child; child != 0; child = nodes[child].sibling) {
            uint32_t fail =
                node == 0 ? 0 : next_state(matcher, nodes[node].fail, nodes[child].byte);
            nodes[child].fail = fail;
            nodes[child].shorter = nodes[fail].is_form ? fail : nodes[fail].shorter;
            queue[last++] = child;
        }
    }
    free(queue);
    return true;
}

bool redact_matcher_create(const eryx_bytes *values, size_t count, redact_matcher **out_matcher)
{
    redact_matcher *matcher = calloc(1, sizeof *matcher);
    if (matcher == NULL) {
        return false;
    }
    bool ok = grow_nodes(matcher);
    matcher->count = 1;
    for (size_t i = 0; i < count && ok; i++) {
        matcher->secret = (uint16_t)i;
        ok = redact_forms(values[i].data, values[i].size, add_form, matcher);
    }
    if (!ok || !link_nodes(matcher)) {
        redact_matcher_destroy(matcher);
        return false;
    }
    *out_matcher = matcher;
    return true;
}

void redact_matcher_destroy(redact_matcher *matcher)
{
    if (matcher == NULL) {
        return;
    }
    secret_memory_destroy(matcher->nodes, matcher->allocated * sizeof *matcher->nodes);
    explicit_bzero(matcher, sizeof *matcher);
    free(matcher);
}

/* ---- Streams --------------------------------------------------------------------------------- */

static bool reserve(redact_stream *stream, size_t size)
{
    if (stream->begin == stream->end) {
        stream->begin = stream->ready = stream->end = 0;
    }
    if (stream->allocated - stream->end >= size) {
        return true;
    }
    size_t used = stream->end - stream->begin;
    size_t allocated = used + size < 4096 ? 4096 : 2 * (used + size);
    if (allocated <= stream->allocated) {
        memmove(stream->held, stream->held + stream->begin, used);
        memmove(stream->is_text, stream->is_text + stream->begin, used * sizeof(bool));
    } else {
        uint8_t *held = malloc(allocated);
        bool *is_text = malloc(allocated * sizeof *is_text);
        if (held == NULL || is_text == NULL) {
            free(held);
            free(is_text);
            return false;
        }
        if (used > 0) {
            memcpy(held, stream->held + stream->begin, used);
            memcpy(is_text, stream->is_text + stream->begin, used * sizeof *is_text);
            explicit_bzero(stream->held, stream->allocated);
        }
        free(stream->held);
        free(stream->is_text);
        stream->held = held;
        stream->is_text = is_text;
        stream->allocated = allocated;
    }
    stream->ready -= stream->begin;
    stream->end = used;
    stream->begin = 0;
    return true;
}

/*
 * Covers the last length bytes of the text that ends at end, which is byte number text_end of all
 * text. Of forms that overlap only what is new is gone over.
 */
static void cover(redact_stream *stream, size_t end, uint64_t text_end, uint32_t length)
{
    uint64_t text_begin = text_end - length;
    uint64_t new_bytes = length;
    if (text_begin >= stream->covered_begin && text_begin <= stream->covered_end) {
        new_bytes = text_end - stream->covered_end;
    } else {
        stream->covered_begin = text_begin;
    }
    stream->covered_end = text_end;
    while (new_bytes > 0 && end > stream->ready) {
        end--;
        if (stream->is_text[end]) {
            stream->held[end] = '*';
            new_bytes--;
        }
    }
}

/* The longest form that ends in this state and is looked for: its length, 0 for none. */
static uint32_t found_length(const redact_matcher *matcher, const bool *active, uint32_t state)
{
    const redact_node *node = &matcher->nodes[state];
    if (!node->is_form) {
        state = node->shorter;
        node = &matcher->nodes[state];
    }
    while (state != 0 && node->secret != SHARED && !active[node->secret]) {
        state = node->shorter;
        node = &matcher->nodes[state];
    }
    return state == 0 ? 0 : node->depth;
}

/* Releases all but the last bytes of text that a form may begin with. */
static void release_before(redact_stream *stream, size_t text_kept)
{
    while (stream->ready < stream->end &&
           (stream->text > text_kept || !stream->is_text[stream->ready])) {
        stream->text -= stream->is_text[stream->ready] ? 1 : 0;
        stream->ready++;
    }
}

bool redact_feed(redact_stream *stream, const redact_matcher *matcher, const bool *active,
                 const uint8_t *data, size_t size, bool is_text)
{
    if (size == 0) {
        return true;
    }
    if (!reserve(stream, size)) {
        return false;
    }
    memcpy(stream->held + stream->end, data, size);
    memset(stream->is_text + stream->end, is_text, size * sizeof(bool));
    size_t at = stream->end;
    stream->end += size;
    if (is_text) {
        uint32_t state = stream->state;
        stream->text += size;
        stream->text_total += size;
        for (; at < stream->end; at++) {
            uint8_t byte = data[size - (stream->end - at)];
            if (state == 0 && matcher->roots[byte] == 0) {
                continue;
            }
            state = next_state(matcher, state, byte);
            uint32_t length = found_length(matcher, active, state);
            if (length > 0) {
                uint64_t text_end = stream->text_total - (stream->end - at) + 1;
                cover(stream, at + 1, text_end, length);
            }
            while (state != 0 && matcher->nodes[state].child == 0) {
                state = matcher->nodes[state].fail; /* nothing longer begins so */
            }
        }
        stream->state = state;
    }
    release_before(stream, matcher->nodes[stream->state].depth);
    if (stream->end - stream->ready > REDACT_MAX_HELD) {
        redact_release(stream);
    }
    return true;
}

void redact_release(redact_stream *stream)
{
    stream->ready = stream->end;
    stream->text = 0;
    stream->state = 0;
}

size_t redact_available(const redact_stream *stream)
{
    return stream->ready - stream->begin;
}

size_t redact_take(redact_stream *stream, uint8_t *out, size_t room)
{
    size_t available = redact_available(stream);
    size_t size = available < room ? available : room;
    if (size > 0) {
        memcpy(out, stream->held + stream->begin, size);
        stream->begin += size;
    }
    return size;
}

void redact_stream_free(redact_stream *stream)
{
    if (stream->held != NULL) {
        explicit_bzero(stream->held, stream->allocated);
    }
    free(stream->held);
    free(stream->is_text);
    *stream = (redact_stream){0};
}
