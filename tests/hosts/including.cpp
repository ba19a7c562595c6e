// A host in C++.
#include <cstdint>
#include <eryx/eryx.h>
#include <iostream>
#include <memory>
#include <string>

namespace
{

struct Destroy {
    void operator()(eryx_engine *engine) const
    {
        eryx_engine_destroy(engine);
    }
    void operator()(eryx_sandbox *sandbox) const
    {
        eryx_sandbox_destroy(sandbox);
    }
};

using Engine = std::unique_ptr<eryx_engine, Destroy>;
using Sandbox = std::unique_ptr<eryx_sandbox, Destroy>;

std::string text(eryx_bytes bytes)
{
    return std::string(reinterpret_cast<const char *>(bytes.data), bytes.size);
}

} // namespace

int main()
{
    eryx_error error{};
    eryx_engine *opened = nullptr;
    if (eryx_engine_create(nullptr, &opened, &error) != ERYX_OK) {
        std::cerr << error.message << "\n";
        return 1;
    }
    Engine engine(opened);
    eryx_sandbox_options options;
    eryx_sandbox_options_init(&options);
    options.limits.max_memory_bytes = std::uint64_t{64} << 20;
    eryx_sandbox *made = nullptr;
    if (eryx_sandbox_create(engine.get(), &options, &made, &error) != ERYX_OK) {
        std::cerr << error.message << "\n";
        return 1;
    }
    Sandbox sandbox(made);
    const std::string code = "print('written'); result = {'answer': 6 * 7}; await ask()";
    eryx_run_options run;
    eryx_run_options_init(&run);
    run.source = code.data();
    run.source_size = code.size();
    run.callbacks = "[{\"name\": \"ask\"}]";
    run.stream_output = true;
    if (eryx_run_begin(sandbox.get(), &run, &error) != ERYX_OK) {
        std::cerr << error.message << "\n";
        return 1;
    }
    eryx_event event{};
    while (eryx_run_step(sandbox.get(), &event) == ERYX_OK && event.kind != ERYX_EVENT_DONE) {
        switch (event.kind) {
        case ERYX_EVENT_OUTPUT:
            std::cout << text(event.as.output.bytes);
            break;
        case ERYX_EVENT_WAIT:
            eryx_sandbox_wait(sandbox.get(), event.as.wait.wake_ns);
            break;
        case ERYX_EVENT_CALLBACK:
            std::cout << text(event.as.callback.name) << "\n";
            eryx_callback_return(sandbox.get(), event.as.callback.id, "null", 4);
            break;
        default:
            break;
        }
    }
    const eryx_result *result = eryx_sandbox_result(sandbox.get());
    std::cout << eryx_status_name(result->status) << " " << text(result->result_json) << "\n";
    return 0;
}
