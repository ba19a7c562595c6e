#include "secrets/redact.h"

#include <stdlib.h>
#include <string.h>

#include "base/assertion.h"
#include "secrets/memory.h"
#include "secrets/redact_forms.h"

/* A form that several secrets have: it is looked for if any secret is. */
#define SHARED UINT16_MAX

/*
 * An automaton of Aho and Corasick: node 0 is the root, the others are starts of forms. A node's
 * children are a list, which is short everywhere but at the root; that one has a table.
 */
typedef struct redact_node {
    uint32_t child;   /* first one, 0 for none */
    uint32_t sibling; /* next one, 0 for none */
    uint32_t fail;    /* the longest end of this start that is a node as well */
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
    uint8_t begins[65536 / 8]; /* a bit for each two bytes that have to be read with care */
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

static void mark_begin(redact_matcher *matcher, uint32_t first, uint32_t second)
{
    uint32_t pair = first << 8 | second;
    matcher->begins[pair / 8] |= (uint8_t)(1u << (pair % 8));
}

/* Whether a form may begin with these, perhaps cut by a line break. */
static bool may_begin(const redact_matcher *matcher, uint8_t first, uint8_t second)
{
    uint32_t pair = (uint32_t)first << 8 | second;
    return (matcher->begins[pair / 8] >> (pair % 8) & 1) != 0;
}

/* Sets begins, so that most bytes need not be looked at one by one. */
static void mark_begins(redact_matcher *matcher)
{
    const redact_node *nodes = matcher->nodes;
    for (uint32_t first = 0; first < 256; first++) {
        uint32_t root = matcher->roots[first];
        for (uint32_t second = 0; root != 0 && second < 256; second++) {
            bool is_break = second == '\r' || second == '\n' || second == '\\';
            if (nodes[root].is_form || is_break || child_of(matcher, root, (uint8_t)second) != 0) {
                mark_begin(matcher, first, second);
            }
        }
    }
    mark_begin(matcher, '\\', 'n');
    mark_begin(matcher, '\\', 'r');
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
    mark_begins(matcher);
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

/* What a byte of a stream is. */
enum { CLASS_FRAMING, CLASS_SOLID, CLASS_BREAK };

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
        memmove(stream->classes, stream->classes + stream->begin, used);
    } else {
        uint8_t *held = malloc(allocated);
        uint8_t *classes = malloc(allocated);
        if (held == NULL || classes == NULL) {
            free(held);
            free(classes);
            return false;
        }
        if (used > 0) {
            memcpy(held, stream->held + stream->begin, used);
            memcpy(classes, stream->classes + stream->begin, used);
            explicit_bzero(stream->held, stream->allocated);
        }
        free(stream->held);
        free(stream->classes);
        stream->held = held;
        stream->classes = classes;
        stream->allocated = allocated;
    }
    stream->ready -= stream->begin;
    stream->end = used;
    stream->begin = 0;
    return true;
}

/*
 * Covers the last length bytes that a view has read; the last of them is before end. Of forms that
 * overlap only what is new is gone over.
 */
static void cover(redact_stream *stream, redact_view *view, size_t end, uint32_t length,
                  bool with_breaks)
{
    uint64_t begin = view->total - length;
    uint64_t new_bytes = length;
    if (begin >= view->covered_begin && begin <= view->covered_end) {
        new_bytes = view->total - view->covered_end;
    } else {
        view->covered_begin = begin;
    }
    view->covered_end = view->total;
    while (new_bytes > 0 && end > stream->ready) {
        end--;
        uint8_t class = stream->classes[end];
        if (class == CLASS_SOLID || (class == CLASS_BREAK && with_breaks)) {
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

/* Lets a view read a byte, the one before end. */
static void read_byte(redact_stream *stream, redact_view *view, const redact_matcher *matcher,
                      const bool *active, uint8_t byte, size_t end, bool with_breaks)
{
    view->total++;
    uint32_t state = next_state(matcher, view->state, byte);
    uint32_t length = found_length(matcher, active, state);
    if (length > 0) {
        cover(stream, view, end, length, with_breaks);
    }
    while (state != 0 && matcher->nodes[state].child == 0) {
        state = matcher->nodes[state].fail; /* nothing longer begins so */
    }
    view->state = state;
}

/* Whether a line break is in what one of the two has begun. */
static bool are_apart(const redact_stream *stream, const redact_matcher *matcher)
{
    uint32_t plain = matcher->nodes[stream->plain.state].depth;
    uint32_t joined = matcher->nodes[stream->joined.state].depth;
    return (plain > joined ? plain : joined) > stream->since_break;
}

/* A line break has been read: as text it is like any byte, and joined stays in its state. */
static void take_break(redact_stream *stream, const redact_matcher *matcher, uint32_t joined_state)
{
    if (stream->breaks <= REDACT_MAX_BREAKS) {
        stream->breaks++;
    }
    stream->joined.state = stream->breaks <= REDACT_MAX_BREAKS ? joined_state : 0;
    stream->since_break = 0;
    stream->is_apart = are_apart(stream, matcher);
}

/* The byte before end and the backslash in front of it are a line break: joined goes back. */
static void take_escaped_break(redact_stream *stream, const redact_matcher *matcher, size_t end)
{
    redact_view *joined = &stream->joined;
    joined->total--;
    if (joined->covered_end > joined->total) {
        joined->covered_end = joined->total;
    }
    for (size_t at = end - 1; at > stream->ready; at--) {
        if (stream->classes[at - 1] != CLASS_FRAMING) {
            stream->classes[at - 1] = CLASS_BREAK;
            stream->solid--;
            break;
        }
    }
    stream->breaks = stream->breaks_before;
    take_break(stream, matcher, stream->before_backslash);
}

/* Reads the byte of text before end, in both ways. */
static void read_text(redact_stream *stream, const redact_matcher *matcher, const bool *active,
                      size_t end)
{
    redact_view *plain = &stream->plain;
    uint8_t byte = stream->held[end - 1];
    uint32_t joined_state = stream->is_apart ? stream->joined.state : plain->state;
    bool is_escaped = stream->is_after_backslash && (byte == 'n' || byte == 'r');
    stream->is_after_backslash = byte == '\\';
    if (byte == '\r' || byte == '\n' || is_escaped) {
        stream->classes[end - 1] = CLASS_BREAK;
        read_byte(stream, plain, matcher, active, byte, end, true);
        if (is_escaped) {
            take_escaped_break(stream, matcher, end);
        } else {
            take_break(stream, matcher, joined_state);
        }
        return;
    }
    if (byte == '\\') {
        stream->before_backslash = joined_state;
        stream->breaks_before = stream->breaks;
    }
    stream->breaks = 0;
    stream->solid++;
    stream->since_break++;
    if (stream->is_apart) {
        read_byte(stream, &stream->joined, matcher, active, byte, end, false);
        read_byte(stream, plain, matcher, active, byte, end, true);
        stream->is_apart = are_apart(stream, matcher);
        return;
    }
    stream->joined.total++;
    if (plain->state == 0 && matcher->roots[byte] == 0) {
        plain->total++;
        return;
    }
    read_byte(stream, plain, matcher, active, byte, end, true);
}

/* Goes over bytes of text that no form begins with, while none has begun. Returns how many. */
static size_t skip_text(redact_stream *stream, const redact_matcher *matcher, const uint8_t *data,
                        size_t size)
{
    size_t count = 0;
    if (stream->plain.state != 0 || stream->is_apart || stream->is_after_backslash) {
        return 0;
    }
    while (count + 1 < size && !may_begin(matcher, data[count], data[count + 1])) {
        count++;
    }
    stream->plain.total += count;
    stream->joined.total += count;
    stream->solid += count;
    stream->since_break += count;
    stream->breaks = count > 0 ? 0 : stream->breaks;
    return count;
}

/* Releases all but the last bytes that a form may begin with. */
static void release_read(redact_stream *stream, const redact_matcher *matcher)
{
    size_t text_kept = matcher->nodes[stream->plain.state].depth;
    size_t solid_kept = stream->is_apart ? matcher->nodes[stream->joined.state].depth : 0;
    if (stream->is_after_backslash) {
        size_t before = matcher->nodes[stream->before_backslash].depth + 1;
        solid_kept = before > solid_kept && before > 1 ? before : solid_kept;
    }
    for (; stream->ready < stream->end; stream->ready++) {
        uint8_t class = stream->classes[stream->ready];
        if (class == CLASS_FRAMING) {
            continue;
        }
        if (stream->text <= text_kept || (class == CLASS_SOLID && stream->solid <= solid_kept)) {
            break;
        }
        stream->text--;
        stream->solid -= class == CLASS_SOLID ? 1 : 0;
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
    memset(stream->classes + stream->end, is_text ? CLASS_SOLID : CLASS_FRAMING, size);
    size_t at = stream->end;
    stream->end += size;
    if (is_text) {
        stream->text += size;
        while (at < stream->end) {
            at += skip_text(stream, matcher, stream->held + at, stream->end - at);
            read_text(stream, matcher, active, ++at);
        }
    }
    release_read(stream, matcher);
    eryx_assert(stream->begin <= stream->ready && stream->ready <= stream->end &&
                stream->end <= stream->allocated);
    if (stream->end - stream->ready > REDACT_MAX_HELD) {
        redact_release(stream);
    }
    return true;
}

void redact_release(redact_stream *stream)
{
    stream->ready = stream->end;
    stream->text = stream->solid = 0;
    stream->plain.state = stream->joined.state = 0;
    stream->breaks = 0;
    stream->is_apart = stream->is_after_backslash = false;
}

size_t redact_available(const redact_stream *stream)
{
    return stream->ready - stream->begin;
}

bool redact_is_holding(const redact_stream *stream)
{
    return stream->ready < stream->end;
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
    free(stream->classes);
    *stream = (redact_stream){0};
}
