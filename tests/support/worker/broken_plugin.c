/* Plugins that the loader must refuse, one fault each: BROKEN_… chooses which. */
#include <dbackup/abi.h>

#if defined(BROKEN_NO_SYMBOL)
DBACKUP_EXPORT int something_else = 1;
#else

#if defined(BROKEN_UNDEFINED)
extern int this_function_is_nowhere(void);
DBACKUP_EXPORT int call_it(void) { return this_function_is_nowhere(); }
#endif

static const void *no_table(const char *id) {
  (void)id;
  return 0;
}
static const dbackup_adapter adapter = {sizeof(dbackup_adapter), DBACKUP_KIND_SOURCE, "broken",
                                        "{\"kind\":", no_table};
static const dbackup_adapter *const adapters[] = {&adapter};

DBACKUP_EXPORT const dbackup_plugin_entry dbackup_plugin = {
#if defined(BROKEN_SHORT)
    12,
#else
    sizeof(dbackup_plugin_entry),
#endif
#if defined(BROKEN_MAJOR)
    DBACKUP_ABI_MAJOR + 41u,
#else
    DBACKUP_ABI_MAJOR,
#endif
    7u,
    1u,
    "org.dbackup.test.broken",
    "Broken",
    "0.1",
    adapters};
#endif
