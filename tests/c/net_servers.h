/*
 * Real servers on loopback for tests of the network: each in threads of its own, ended with
 * servers_stop(). TCP servers do with every connection what their function says; the DNS server
 * answers from a table.
 */
#ifndef ERYX_NET_SERVERS_H
#define ERYX_NET_SERVERS_H

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "test.h"

/* ---- TCP ------------------------------------------------------------------------------------- */

typedef struct server server;

/* What a server does with a connection; the caller closes fd. */
typedef void server_function(server *self, int fd);

struct server {
    int fd;
    uint16_t port;
    server_function *serve;
    pthread_t thread;
    atomic_bool stop;
    atomic_uint accepted;
    atomic_uint ended;   /* connections whose function has returned */
    atomic_ullong bytes; /* that the functions have read */
};

typedef struct server_job {
    server *owner;
    int fd;
} server_job;

static inline void *server_serve(void *argument)
{
    server_job *job = argument;
    job->owner->serve(job->owner, job->fd);
    close(job->fd);
    atomic_fetch_add(&job->owner->ended, 1);
    free(job);
    return NULL;
}

static inline void *server_accept(void *argument)
{
    server *self = argument;
    while (!atomic_load(&self->stop)) {
        struct pollfd look = {.fd = self->fd, .events = POLLIN};
        if (poll(&look, 1, 20) != 1) {
            continue;
        }
        int fd = accept(self->fd, NULL, NULL);
        if (fd < 0) {
            continue;
        }
        server_job *job = malloc(sizeof *job);
        ASSERT_NOT_NULL(job);
        *job = (server_job){self, fd};
        pthread_t thread;
        atomic_fetch_add(&self->accepted, 1);
        ASSERT_EQ(pthread_create(&thread, NULL, server_serve, job), 0);
        pthread_detach(thread);
    }
    return NULL;
}

/* Listens on a free port of 127.0.0.1, or of ::1. False if there is no such address here. */
static inline bool server_listen(server *self, bool is_v6, int backlog)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr *address = is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
    socklen_t size = is_v6 ? sizeof v6 : sizeof v4;
    *self = (server){.fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (self->fd < 0 || bind(self->fd, address, size) != 0) {
        close(self->fd);
        return false;
    }
    ASSERT_EQ(listen(self->fd, backlog), 0);
    ASSERT_EQ(getsockname(self->fd, address, &size), 0);
    self->port = ntohs(is_v6 ? v6.sin6_port : v4.sin_port);
    return true;
}

static inline void server_start(server *self, server_function *serve)
{
    /* A full queue would make connects wait a second each. */
    ASSERT(server_listen(self, false, 4096));
    self->serve = serve;
    ASSERT_EQ(pthread_create(&self->thread, NULL, server_accept, self), 0);
}

/* Waits for its connections to end. */
static inline void server_stop(server *self)
{
    atomic_store(&self->stop, true);
    if (self->serve != NULL) {
        pthread_join(self->thread, NULL);
        while (atomic_load(&self->ended) < atomic_load(&self->accepted)) {
            usleep(1000);
        }
    }
    close(self->fd);
}

static inline void serve_echo(server *self, int fd)
{
    static _Thread_local uint8_t bytes[1 << 16];
    ssize_t got;
    while ((got = recv(fd, bytes, sizeof bytes, 0)) > 0) {
        atomic_fetch_add(&self->bytes, (unsigned long long)got);
        for (ssize_t sent = 0; sent < got;) {
            ssize_t done = send(fd, bytes + sent, (size_t)(got - sent), MSG_NOSIGNAL);
            if (done < 0) {
                return;
            }
            sent += done;
        }
    }
}

/* Reads until the end, slowly at first. */
static inline void serve_sink(server *self, int fd)
{
    static _Thread_local uint8_t bytes[1 << 16];
    ssize_t got;
    usleep(100000);
    while ((got = recv(fd, bytes, sizeof bytes, 0)) > 0) {
        atomic_fetch_add(&self->bytes, (unsigned long long)got);
    }
}

/* Never says or reads anything; waits until the peer has gone or the server is stopped. */
static inline void serve_nothing(server *self, int fd)
{
    while (!atomic_load(&self->stop)) {
        struct pollfd look = {.fd = fd, .events = POLLRDHUP};
        if (poll(&look, 1, 10) == 1) {
            return;
        }
    }
}

/* Reads one byte and resets the connection. */
static inline void serve_reset(server *self, int fd)
{
    char byte;
    const struct linger hard = {.l_onoff = 1, .l_linger = 0};
    (void)self;
    if (recv(fd, &byte, 1, 0) == 1) {
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    }
}

/* ---- DNS ------------------------------------------------------------------------------------- */

/* Answers for one name: the i-th question gets the i-th address, the last one from then on. */
typedef struct dns_name {
    const char *name;
    const char *addresses[4];
} dns_name;

typedef struct dns_server {
    int fd;
    uint16_t port;
    char text[32]; /* "127.0.0.1:port" */
    pthread_t thread;
    atomic_bool stop;
    atomic_uint questions;
    atomic_int delay_ms;   /* before each answer */
    const dns_name *names; /* the last one has no name; others do not exist */
    unsigned asked[16];    /* questions about addresses of IPv4, by name */
} dns_server;

/* The name of the question in text form; gives where its type begins. */
static inline size_t dns_read_name(const uint8_t *message, size_t size, char *out_name)
{
    size_t at = 12;
    size_t length = 0;
    while (at < size && message[at] != 0) {
        uint8_t label = message[at++];
        ASSERT(label < 64 && at + label < size && length + label + 1 < 256);
        if (length > 0) {
            out_name[length++] = '.';
        }
        memcpy(out_name + length, message + at, label);
        length += label;
        at += label;
    }
    out_name[length] = 0;
    return at + 1;
}

static inline size_t dns_answer(dns_server *self, uint8_t *message, size_t size)
{
    char name[256];
    size_t type_at = dns_read_name(message, size, name);
    unsigned type = (unsigned)(message[type_at] << 8 | message[type_at + 1]);
    size_t end = type_at + 4;
    size_t index = 0;
    while (self->names[index].name != NULL && strcasecmp(self->names[index].name, name) != 0) {
        index++;
    }
    const dns_name *found = &self->names[index];
    message[2] = 0x81;
    message[3] = found->name == NULL ? 0x83 : 0x80; /* NXDOMAIN, or no error */
    memset(message + 6, 0, 6);
    if (found->name == NULL || type != 1) {
        return end;
    }
    unsigned turn = self->asked[index]++;
    while (turn > 0 && (turn >= 4 || found->addresses[turn] == NULL)) {
        turn--;
    }
    static const uint8_t head[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4};
    message[7] = 1;
    memcpy(message + end, head, sizeof head);
    ASSERT_EQ(inet_pton(AF_INET, found->addresses[turn], message + end + sizeof head), 1);
    return end + sizeof head + 4;
}

static inline void *dns_run(void *argument)
{
    dns_server *self = argument;
    while (!atomic_load(&self->stop)) {
        struct pollfd look = {.fd = self->fd, .events = POLLIN};
        uint8_t message[1024];
        struct sockaddr_in from;
        socklen_t from_size = sizeof from;
        if (poll(&look, 1, 20) != 1) {
            continue;
        }
        ssize_t size = recvfrom(self->fd, message, 512, 0, (struct sockaddr *)&from, &from_size);
        atomic_fetch_add(&self->questions, 1);
        int delay_ms = atomic_load(&self->delay_ms);
        for (int i = 0; i < delay_ms && !atomic_load(&self->stop); i += 10) {
            usleep(10000);
        }
        if (size > 16 && !atomic_load(&self->stop)) {
            size_t answer = dns_answer(self, message, (size_t)size);
            /* The EDNS record of the question is not answered. */
            sendto(self->fd, message, answer, 0, (struct sockaddr *)&from, from_size);
        }
    }
    return NULL;
}

static inline void dns_start(dns_server *self, const dns_name *names)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    *self = (dns_server){.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), .names = names};
    ASSERT_EQ(bind(self->fd, (struct sockaddr *)&address, size), 0);
    ASSERT_EQ(getsockname(self->fd, (struct sockaddr *)&address, &size), 0);
    self->port = ntohs(address.sin_port);
    snprintf(self->text, sizeof self->text, "127.0.0.1:%u", self->port);
    ASSERT_EQ(pthread_create(&self->thread, NULL, dns_run, self), 0);
}

static inline void dns_stop(dns_server *self)
{
    atomic_store(&self->stop, true);
    pthread_join(self->thread, NULL);
    close(self->fd);
}

/* ---- Descriptors ----------------------------------------------------------------------------- */

/* How many descriptors this process has open. */
static inline unsigned open_descriptors(void)
{
    unsigned count = 0;
    DIR *directory = opendir("/proc/self/fd");
    ASSERT_NOT_NULL(directory);
    while (readdir(directory) != NULL) {
        count++;
    }
    closedir(directory);
    return count;
}

/* Descriptors of sockets (the ends that servers have are others'), pipes of no kind, epoll and
 * event descriptors: what a sandbox with a network has. */
static inline unsigned open_wait_descriptors(void)
{
    unsigned count = 0;
    DIR *directory = opendir("/proc/self/fd");
    ASSERT_NOT_NULL(directory);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char path[300];
        char target[64] = "";
        snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
        ssize_t size = readlink(path, target, sizeof target - 1);
        count +=
            size > 0 && (strstr(target, "eventpoll") != NULL || strstr(target, "eventfd") != NULL);
    }
    closedir(directory);
    return count;
}

#endif
