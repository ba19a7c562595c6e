#include "sandbox/handle_drop.h"

#include "net/connection.h"
#include "net/lookup.h"
#include "vfs/vfs.h"

void handle_drop_object(handle *dropped)
{
    switch (dropped->kind) {
    case HANDLE_DESCRIPTOR:
    case HANDLE_DIRECTORY_STREAM:
    case HANDLE_FILE_INPUT:
    case HANDLE_FILE_OUTPUT:
    case HANDLE_FILE_APPEND:
        vfs_close(dropped->object);
        break;
    case HANDLE_TCP_SOCKET:
    case HANDLE_TCP_INPUT:
    case HANDLE_TCP_OUTPUT:
    case HANDLE_POLLABLE_TCP:
        net_connection_release(dropped->object);
        break;
    case HANDLE_LOOKUP:
    case HANDLE_POLLABLE_LOOKUP:
        net_lookup_release(dropped->object);
        break;
    case HANDLE_FREE:
    case HANDLE_STANDARD_INPUT:
    case HANDLE_STANDARD_OUTPUT:
    case HANDLE_NETWORK_INSTANCE:
    case HANDLE_POLLABLE_READY:
    case HANDLE_POLLABLE_INPUT:
    case HANDLE_POLLABLE_TIMER:
    case HANDLE_IO_ERROR:
        break;
    }
}
