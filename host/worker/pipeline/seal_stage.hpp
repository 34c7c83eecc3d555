#pragma once

#include <vector>

#include "crypto/age_keys.hpp"
#include "worker/pipeline/stage.hpp"

namespace dbackup::host {

/// Seals the stream into an age file for `recipients`. Throws Error{InvalidArgument} when there are
/// none.
SinkPtr make_seal_stage(SinkPtr next, const std::vector<AgeRecipient>& recipients);

/// Opens an age file with the first of `identities` that fits. Bytes are passed on only after their
/// chunk was authenticated, the end of file only after the last one. Errors: FailedPrecondition
/// with reason "encryption_key_required" when no identity fits, DataLoss when the file is cut or
/// damaged.
SinkPtr make_unseal_stage(SinkPtr next, const std::vector<AgeIdentity>& identities);

}  // namespace dbackup::host
