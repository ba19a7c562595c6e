#include "net/tls_sessions.h"

#include <stdlib.h>
#include <sys/random.h>

tls_sessions *tls_sessions_create(void)
{
    tls_sessions *sessions = calloc(1, sizeof *sessions);
    /* A copy of this sandbox remembers numbers that its own sessions must not get. */
    if (sessions != NULL &&
        getrandom(&sessions->last_id, sizeof sessions->last_id, 0) != sizeof sessions->last_id) {
        free(sessions);
        return NULL;
    }
    return sessions;
}

tls_entry *tls_sessions_find(const tls_sessions *sessions, uint32_t id)
{
    tls_entry *found = sessions != NULL ? sessions->entries : NULL;
    while (found != NULL && found->id != id) {
        found = found->next;
    }
    return found;
}

void tls_sessions_add(tls_sessions *sessions, tls_entry *added)
{
    do {
        sessions->last_id = (sessions->last_id + 1) & INT32_MAX;
    } while (sessions->last_id == 0 || tls_sessions_find(sessions, sessions->last_id) != NULL);
    added->id = sessions->last_id;
    added->next = sessions->entries;
    sessions->entries = added;
    sessions->count++;
}

void tls_sessions_connection_gone(void *entry)
{
    tls_entry *target = entry;
    target->connection = NULL;
    if (target->session != NULL) {
        tls_session_cut(target->session);
    } else {
        free(target);
    }
}

/* Ends a session that is out of the list. */
static void end_session(tls_entry *target, bool free_connection)
{
    bool may_go_on = free_connection || tls_session_is_shut(target->session);
    tls_session_destroy(target->session);
    target->session = NULL;
    if (target->connection != NULL && may_go_on) {
        net_connection_detach(target->connection);
        target->connection = NULL;
    }
    if (target->connection == NULL) {
        free(target);
    }
}

void tls_sessions_remove(tls_sessions *sessions, tls_entry *target)
{
    tls_entry **link = &sessions->entries;
    while (*link != target) {
        link = &(*link)->next;
    }
    *link = target->next;
    sessions->count--;
    end_session(target, false);
}

uint64_t tls_sessions_count_live(const tls_sessions *sessions)
{
    uint64_t count = 0;
    for (const tls_entry *each = sessions->entries; each != NULL; each = each->next) {
        count += !tls_session_is_dead(each->session);
    }
    return count;
}

void tls_sessions_look_at(const tls_sessions *sessions, net_connection *connection,
                          const uint8_t *data, size_t size)
{
    /* A record of a handshake that is a ClientHello: its header, that of the message, a version,
     * and then 32 random bytes. */
    const size_t random_offset = 11;
    if (sessions == NULL || size < random_offset + TLS_RANDOM_BYTES || data[0] != 22 ||
        data[1] != 3 || data[5] != 1) {
        return;
    }
    for (const tls_entry *each = sessions->entries; each != NULL; each = each->next) {
        if (each->connection == NULL &&
            tls_session_has_random(each->session, data + random_offset)) {
            net_connection_note_tls(connection);
            return;
        }
    }
}

void tls_sessions_end_run(tls_sessions *sessions)
{
    if (sessions == NULL) {
        return;
    }
    while (sessions->entries != NULL) {
        tls_entry *target = sessions->entries;
        sessions->entries = target->next;
        end_session(target, true);
    }
    sessions->count = 0;
}

void tls_sessions_destroy(tls_sessions *sessions)
{
    tls_sessions_end_run(sessions);
    free(sessions);
}
