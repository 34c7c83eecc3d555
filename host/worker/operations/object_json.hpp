#pragma once

#include "base/json.hpp"
#include "worker/plugin/storage_proxy.hpp"

namespace dbackup::host {

/// {path, size, modifiedMs, storageClass?, sha256?}
inline Json object_json(const StoredObject& object) {
  Json out{{"path", object.path}, {"size", object.size}, {"modifiedMs", object.modified_ms}};
  if (!object.storage_class.empty()) out["storageClass"] = object.storage_class;
  if (!object.sha256.empty()) out["sha256"] = object.sha256;
  return out;
}

}  // namespace dbackup::host
