/*
 * A hostile worker and the network that its parent has for it (worker/served_network.c): it asks
 * for connections that the rules refuse, that the embedder has not allowed, and that it never
 * opened. No address but the one that is allowed is ever connected to, and no more than the limit.
 */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "net/connection.h"
#include "protocol/tls.h"
#include "worker/served_network.h"

enum { MOST_QUESTIONS = 60, MOST_CONNECTIONS = 3 };

static int allowed = -1; /* listens on 127.0.0.1 */
static int refused = -1; /* on 127.0.0.2 */
static uint16_t ports[2];

static int listen_on(const char *address, uint16_t *out_port)
{
    struct sockaddr_in name = {.sin_family = AF_INET};
    socklen_t size = sizeof name;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    FUZZ_REQUIRE(fd >= 0 && inet_pton(AF_INET, address, &name.sin_addr) == 1);
    FUZZ_REQUIRE(bind(fd, (struct sockaddr *)&name, sizeof name) == 0 && listen(fd, 64) == 0);
    FUZZ_REQUIRE(getsockname(fd, (struct sockaddr *)&name, &size) == 0);
    *out_port = ntohs(name.sin_port);
    return fd;
}

static served_network *make_network(bool asks)
{
    static const char *const networks[] = {"127.0.0.1/32"};
    eryx_network_options rules_of_it;
    eryx_network_options_init(&rules_of_it);
    rules_of_it.allow_all_hosts = false;
    rules_of_it.allowed_networks = (eryx_texts){networks, 1};
    rules_of_it.max_connections = MOST_CONNECTIONS;
    rules_of_it.ask_on_connect = asks;
    const eryx_secret secret = {.name = "KEY", .value = {(const uint8_t *)"the value of it", 15}};
    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    options.network = &rules_of_it;
    options.secrets = &secret;
    options.secret_count = 1;
    served_network *made;
    FUZZ_REQUIRE(served_network_create(&options, &made, NULL) == ERYX_OK);
    return made;
}

static net_address some_address(fuzz_input *input)
{
    static const uint8_t hosts[][4] = {{127, 0, 0, 1}, {127, 0, 0, 2}, {10, 0, 0, 1}, {0, 0, 0, 0}};
    const uint32_t choice = fuzz_below(input, 8);
    net_address address = {.is_v6 = choice == 7, .port = ports[choice & 1]};
    memcpy(address.bytes, hosts[choice < 4 ? choice : 0], 4);
    address.port = choice >= 4 ? ports[0] : address.port;
    return address;
}

static net_far_question some_question(fuzz_input *input)
{
    static const char *const texts[] = {
        "127.0.0.1",   "127.0.0.2", "localhost", "a.example", "", "GET / HTTP/1.1\r\nX: y\r\n\r\n",
        "\x16\x03\x01"};
    const char *text = texts[fuzz_below(input, 7)];
    static const uint8_t usual[] = {NET_FAR_OPEN,   NET_FAR_CHECK, NET_FAR_START,
                                    NET_FAR_FINISH, NET_FAR_READ,  NET_FAR_WRITE};
    const uint32_t choice = fuzz_below(input, 20);
    return (net_far_question){
        .operation =
            (net_far_operation)(choice < sizeof usual ? usual[choice] : 1 + fuzz_below(input, 23)),
        .number =
            fuzz_below(input, 40) == 0 ? (uint32_t)fuzz_number(input, 4) : 1 + fuzz_below(input, 5),
        .value = fuzz_below(input, 20) == 0 ? fuzz_number(input, 8) : fuzz_below(input, 24),
        .address = some_address(input),
        .data = (const uint8_t *)text,
        .size = strlen(text),
        .room =
            fuzz_below(input, 20) == 0 ? (uint32_t)fuzz_number(input, 4) : fuzz_below(input, 2000)};
}

/* Asks one thing. False once the parent has had enough. */
static bool ask(served_network *network, fuzz_input *input)
{
    message_writer asked = {0};
    message_writer told = {0};
    int file = -1;
    const net_far_question question = some_question(input);
    message_begin(&asked, fuzz_below(input, 200) == 0 ? 3 : SERVICE_NETWORK, 1);
    service_put_question(&asked, &question);
    if (fuzz_below(input, 100) == 0) {
        message_put_u8(&asked, 1);
    }
    FUZZ_REQUIRE(message_end(&asked));
    message came = {.payload = asked.data + sizeof(message_header)};
    memcpy(&came.header, asked.data, sizeof came.header);
    message_begin(&told, SERVICE_ANSWER, 1);
    const bool goes_on = served_network_take(network, &came, &told, &file);
    if (goes_on) {
        net_far_answer answer;
        FUZZ_REQUIRE(message_end(&told));
        message answered = {.payload = told.data + sizeof(message_header)};
        memcpy(&answered.header, told.data, sizeof answered.header);
        message_reader reader = message_read(&answered);
        FUZZ_REQUIRE(service_get_answer(&reader, &answer));
        FUZZ_REQUIRE(answer.size <= question.room);
    }
    message_writer_free(&asked);
    message_writer_free(&told);
    return goes_on;
}

/* How many connections a listener has got; they are closed. */
static uint32_t count_accepted(int listener)
{
    uint32_t count = 0;
    for (int fd; (fd = accept(listener, NULL, NULL)) >= 0; count++) {
        close(fd);
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input input = {data, size};
    if (allowed < 0) {
        allowed = listen_on("127.0.0.1", &ports[0]);
        refused = listen_on("127.0.0.2", &ports[1]);
    }
    const bool asks = fuzz_below(&input, 2) == 1;
    const bool allows = fuzz_below(&input, 2) == 1;
    served_network *network = make_network(asks);
    served_network_begin_run(network);
    for (int i = 0; i < MOST_QUESTIONS && input.left > 0 && ask(network, &input); i++) {
        eryx_event event;
        if (allows && fuzz_below(&input, 4) == 0 && served_network_asks(network, &event)) {
            FUZZ_REQUIRE(strcmp(event.as.connect.host, "127.0.0.1") == 0);
            FUZZ_REQUIRE(served_network_answer(network, true));
        }
    }
    served_network_end_run(network);
    eryx_result result = {.status = ERYX_OK};
    served_network_list(network, &result);
    for (size_t i = 0; i < result.connection_count; i++) {
        const eryx_connection *listed = &result.connections[i];
        FUZZ_REQUIRE(!listed->connected || strcmp(listed->address, "127.0.0.1") == 0);
    }
    served_network_destroy(network);
    const uint32_t accepted = count_accepted(allowed);
    FUZZ_REQUIRE(!asks || allows || accepted == 0);
    FUZZ_REQUIRE(count_accepted(refused) == 0);
    return 0;
}
