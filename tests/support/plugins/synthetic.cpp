// The testing kit's synthetic adapters as a plugin.

#include <dbackup/testing/synthetic.hpp>

DBACKUP_PLUGIN("test.synthetic", "Synthetic", DBACKUP_SDK_VERSION,
               dbackup::testing::synthetic_source(), dbackup::testing::synthetic_null_storage())
