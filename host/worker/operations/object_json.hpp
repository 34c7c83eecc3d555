#pragma once

#include "base/json.hpp"
#include "worker/plugin/storage_proxy.hpp"

namespace dbackup::host {

/// {path, size, modifiedMs, storageClass?, sha256?}, or {path, unreadable} of a folder in a list.
inline Json object_json(const StoredObject& object) {
  if (object.is_unreadable_folder) return {{"path", object.path}, {"unreadable", true}};
  Json out{{"path", object.path}, {"size", object.size}, {"modifiedMs", object.modified_ms}};
  if (!object.storage_class.empty()) out["storageClass"] = object.storage_class;
  if (!object.sha256.empty()) out["sha256"] = object.sha256;
  return out;
}

}  // namespace dbackup::host
