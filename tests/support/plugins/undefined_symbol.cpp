// A plugin that needs a function nobody has: it must be refused when it is loaded, not end the
// process when the function is called.

#include <dbackup/abi.h>

extern "C" const void* dbackup_test_nobody_defines_this(const char* id) noexcept;

namespace {
constexpr dbackup_adapter kAdapter{sizeof(dbackup_adapter), DBACKUP_KIND_SOURCE,
                                   "bad-undefined-symbol", "{}", &dbackup_test_nobody_defines_this};
constexpr const dbackup_adapter* kAdapters[] = {&kAdapter};
}  // namespace

extern "C" const dbackup_plugin_entry dbackup_plugin = {sizeof(dbackup_plugin_entry),
                                                        DBACKUP_ABI_MAJOR,
                                                        DBACKUP_ABI_MINOR,
                                                        1,
                                                        "test.bad",
                                                        "Bad plugin",
                                                        "1.0.0",
                                                        kAdapters};
