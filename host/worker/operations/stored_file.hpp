#pragma once

#include <optional>
#include <string>

#include "protocol/message.hpp"
#include "worker/format/stored_reader.hpp"
#include "worker/plugin/storage_proxy.hpp"

namespace dbackup::host {

/// The text of the sidecar beside `path`; nullopt when there is none. Throws Error{DataLoss} for
/// one that is longer than 64 KiB or no text.
std::optional<std::string> read_sidecar(StorageProxy& storage, const std::string& path);

/// What stat() says; Error{NotFound} naming the path when there is no such file.
StoredObject require_object(StorageProxy& storage, const std::string& path);

/// Whether the file is an age file: by its name, else by its first bytes.
bool is_sealed(StorageProxy& storage, const std::string& path);

/// The identities of a request. Throws Error{InvalidArgument} without showing them.
std::vector<AgeIdentity> parse_identities(const std::vector<std::string>& texts);

/// How to open the file that the request describes: compression by its name in the request, by the
/// file's suffix, by magic.
StoredFormat stored_format(const protocol::StoredFile& file, StorageProxy& storage);

/// Reads ranges of the stored bytes; Error{DataLoss} when fewer come than the object's size promises.
/// `storage` and `object` must outlive it.
FetchRange ranges_of(StorageProxy& storage, const StoredObject& object);

/// Writes the whole object to `sink` and finishes it; Error{DataLoss} when not all bytes came. The
/// sink is aborted on every error.
void pull_whole(StorageProxy& storage, const StoredObject& object, ByteSink& sink);

}  // namespace dbackup::host
