/*
 * What both kinds of Core have: files, network and secrets, from the tuples of the package.
 */
#include "binding.h"

int equipment_parse(const binding_state *state, const core_equipment *given,
                    eryx_sandbox_options *options)
{
    if (storage_parse_mounts(state, given->mounts, given->volumes, options) < 0) {
        return -1;
    }
    if (files_parse_providers(given->providers, options) < 0) {
        goto fail_providers;
    }
    if (network_parse(given->network, options) < 0) {
        goto fail_network;
    }
    if (secrets_parse(given->secrets, options) < 0) {
        goto fail_secrets;
    }
    return 0;

fail_secrets:
    network_free(options);
fail_network:
    files_free_providers(options);
fail_providers:
    storage_free_mounts(options);
    return -1;
}

void equipment_free(eryx_sandbox_options *options)
{
    secrets_free(options);
    network_free(options);
    files_free_providers(options);
    storage_free_mounts(options);
}
