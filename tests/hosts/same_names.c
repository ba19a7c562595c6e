/* A host that has functions with the names of those that are inside of the library. */
#include <eryx/eryx.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAKEN(name)                                                                                \
    void name(void);                                                                               \
    void name(void)                                                                                \
    {                                                                                              \
        fprintf(stderr, #name " of the host was called\n");                                        \
        abort();                                                                                   \
    }

TAKEN(SSL_CTX_new)
TAKEN(EVP_MD_fetch)
TAKEN(EVP_Digest)
TAKEN(ares_init_options)
TAKEN(ares_library_init)
TAKEN(llhttp_init)
TAKEN(vfs_create)
TAKEN(status_fail)
TAKEN(libdeflate_alloc_decompressor)
unsigned OPENSSL_ia32cap_P[1];

int main(void)
{
    eryx_engine *engine = NULL;
    eryx_sandbox *sandbox = NULL;
    eryx_error error = {{0}};
    eryx_network_options network;
    eryx_network_options_init(&network);
    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    options.network = &network;
    const char *program = "import ssl, socket\n"
                          "context = ssl.create_default_context()\n"
                          "try: socket.getaddrinfo('localhost', 80)\n"
                          "except OSError: print('refused')\n";
    eryx_run_options run;
    eryx_run_options_init(&run);
    run.source = program;
    run.source_size = strlen(program);
    const eryx_result *result = NULL;
    if (eryx_engine_create(NULL, &engine, &error) != ERYX_OK ||
        eryx_sandbox_create(engine, &options, &sandbox, &error) != ERYX_OK ||
        eryx_execute(sandbox, &run, &result, &error) != ERYX_OK) {
        fprintf(stderr, "%s%s\n", error.message, result != NULL ? result->message : "");
        return 1;
    }
    fwrite(result->standard_output.data, 1, result->standard_output.size, stdout);
    printf("%u\n", OPENSSL_ia32cap_P[0]);
    eryx_sandbox_destroy(sandbox);
    eryx_engine_destroy(engine);
    return 0;
}
