#pragma once

#include <vector>

#include "base/json.hpp"
#include "store/credential_store.hpp"

namespace dbackup::host {

/// Who uses a credential, as answers name it: [{"adapterId","name","type","slot"}].
Json credential_references(const std::vector<CredentialUse>& uses);

}  // namespace dbackup::host
