#include "model/sidecar.hpp"

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/json.hpp"
#include "crypto/hash.hpp"

namespace dbackup::host {
namespace {

Json parse_object(std::string_view text) {
  Json object = parse_json(text, "sidecar");
  if (!object.is_object()) throw Error{ErrorCode::InvalidArgument, "sidecar: not a JSON object"};
  return object;
}

// Tolerant readers: what is missing or of another type leaves the field as it is.
void read(const Json& object, const char* key, std::string& field) {
  if (const auto it = object.find(key); it != object.end() && it->is_string())
    field = it->get<std::string>();
}

void read(const Json& object, const char* key, bool& field) {
  if (const auto it = object.find(key); it != object.end() && it->is_boolean())
    field = it->get<bool>();
}

std::optional<int64_t> to_int(const Json& value) {
  if (!value.is_number_integer()) return std::nullopt;
  if (value.is_number_unsigned() && value.get<uint64_t>() > uint64_t{INT64_MAX})
    return std::nullopt;
  return value.get<int64_t>();
}

std::optional<int64_t> read_int(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it == object.end() ? std::nullopt : to_int(*it);
}

std::optional<std::string> read_optional(const Json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_string()) return std::nullopt;
  return it->get<std::string>();
}

const Json* read_object(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_object() ? &*it : nullptr;
}

std::vector<std::string> strings_of(const Json& array) {
  std::vector<std::string> result;
  for (const Json& item : array)
    if (item.is_string()) result.push_back(item.get<std::string>());
  return result;
}

// `{count, names?}`, or in old sidecars the names alone or the count alone.
void read_databases(const Json& object, Sidecar& sidecar) {
  const auto it = object.find("databases");
  if (it == object.end()) return;
  if (it->is_array()) {
    sidecar.database_names = strings_of(*it);
    sidecar.database_count = static_cast<int64_t>(it->size());
  } else if (it->is_object()) {
    if (const auto names = it->find("names"); names != it->end() && names->is_array())
      sidecar.database_names = strings_of(*names);
    sidecar.database_count =
        read_int(*it, "count").value_or(static_cast<int64_t>(sidecar.database_names.size()));
  } else {
    sidecar.database_count = to_int(*it).value_or(0);
  }
}

void read_encryption(const Json& object, Sidecar& sidecar) {
  SidecarEncryption found;
  if (const Json* encryption = read_object(object, "encryption")) {
    bool enabled = false;
    read(*encryption, "enabled", enabled);
    if (!enabled) return;
    read(*encryption, "profileId", found.profile_id);
    read(*encryption, "algorithm", found.algorithm);
    read(*encryption, "iv", found.iv);
    read(*encryption, "authTag", found.auth_tag);
  } else {
    read(object, "encryptionProfileId", found.profile_id);
    read(object, "iv", found.iv);
    read(object, "authTag", found.auth_tag);
    if (found.profile_id.empty() && found.iv.empty()) return;
    found.algorithm = "aes-256-gcm";
  }
  sidecar.encryption = std::move(found);
}

void put(Json& object, const char* key, const std::string& value) {
  if (value.empty())
    object.erase(key);
  else
    object[key] = value;
}

// Keeps what else an object of that name held.
Json& object_at(Json& parent, const char* key) {
  Json& member = parent[key];
  if (!member.is_object()) member = Json::object();
  return member;
}

void put_databases(Json& object, const Sidecar& sidecar) {
  Json& databases = object_at(object, "databases");
  databases["count"] = sidecar.database_count;
  if (sidecar.database_names.empty())
    databases.erase("names");
  else
    databases["names"] = sidecar.database_names;
}

void put_encryption(Json& object, const Sidecar& sidecar) {
  for (const char* flat : {"encryptionProfileId", "iv", "authTag"}) object.erase(flat);
  if (!sidecar.encryption) {
    object.erase("encryption");
    return;
  }
  Json& encryption = object_at(object, "encryption");
  encryption["enabled"] = true;
  put(encryption, "profileId", sidecar.encryption->profile_id);
  put(encryption, "algorithm", sidecar.encryption->algorithm);
  put(encryption, "iv", sidecar.encryption->iv);
  put(encryption, "authTag", sidecar.encryption->auth_tag);
}

void put_verification(Json& object, const Sidecar& sidecar) {
  if (!sidecar.verification) return;
  Json& verification = object_at(object, "verification");
  verification["verifiedAt"] = sidecar.verification->verified_at;
  verification["passed"] = sidecar.verification->passed;
  verification["trigger"] = sidecar.verification->trigger;
  put(verification, "actualChecksum", sidecar.verification->actual_checksum.value_or(""));
}

Json to_json(const Sidecar& sidecar) {
  Json object = sidecar.origin.empty() ? Json::object() : parse_object(sidecar.origin);
  object.erase("mac");
  object.erase("macKeyId");
  object["version"] = sidecar.version;
  object["formatVersion"] = sidecar.format_version;
  put(object, "executionId", sidecar.execution_id);
  object["jobId"] = sidecar.job_id;
  object["jobName"] = sidecar.job_name;
  object["sourceName"] = sidecar.source_name;
  object["sourceType"] = sidecar.source_type;
  object["sourceId"] = sidecar.source_id;
  put_databases(object, sidecar);
  put(object, "engineVersion", sidecar.engine_version);
  put(object, "engineEdition", sidecar.engine_edition);
  object["timestamp"] = sidecar.timestamp;
  object["originalFileName"] = sidecar.original_file_name;
  put(object, "compression",
      sidecar.compression == Compression::None ? "" : std::string{to_string(sidecar.compression)});
  put_encryption(object, sidecar);
  put(object, "checksum", sidecar.checksum);
  put(object, "checksumMd5", sidecar.checksum_md5);
  if (sidecar.size) object["size"] = *sidecar.size;
  if (sidecar.plain_size) object["plainSize"] = *sidecar.plain_size;
  if (!sidecar.labels.empty()) object["labels"] = sidecar.labels;
  put(object, "backupType", sidecar.backup_type);
  if (sidecar.trigger) {
    Json& trigger = object_at(object, "trigger");
    trigger["type"] = sidecar.trigger->type;
    put(trigger, "actor", sidecar.trigger->actor.value_or(""));
  }
  object["locked"] = sidecar.locked;
  put_verification(object, sidecar);
  if (sidecar.multi_database) {
    Json& multi = object_at(object, "multiDb");
    multi["format"] = "tar";
    multi["databases"] = sidecar.database_names;
    put(multi, "indexChecksum", sidecar.index_checksum);
  }
  return object;
}

bool integers_only(const Json& value) {
  if (value.is_number_float()) return false;
  if (value.is_structured())
    for (const Json& item : value)
      if (!integers_only(item)) return false;
  return true;
}

// nlohmann_json keeps the members of an object sorted by their bytes, and dump() writes no blanks.
std::string canonical(Json object) {
  object.erase("mac");
  if (!integers_only(object))
    throw Error{ErrorCode::InvalidArgument, "sidecar: a number with a fraction cannot be signed"};
  return dump_json(object);
}

std::string mac_of(Json object, std::string_view key) {
  return to_hex(hmac_sha256(key, canonical(std::move(object))));
}

// What lies at the destination is read by people, too.
std::string text_of(const Json& object) {
  return object.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

Sidecar parse_sidecar(std::string_view text) {
  const Json object = parse_object(text);
  Sidecar sidecar;
  sidecar.version = read_int(object, "version").value_or(1);
  // Absent: the reference implementation's single files, or its archives, which name their own
  // version.
  sidecar.format_version = read_int(object, "formatVersion").value_or(1);
  if (const Json* archive = read_object(object, "archive"))
    sidecar.format_version = read_int(*archive, "formatVersion").value_or(2);
  read(object, "executionId", sidecar.execution_id);
  read(object, "jobId", sidecar.job_id);
  read(object, "jobName", sidecar.job_name);
  read(object, "sourceName", sidecar.source_name);
  read(object, "sourceType", sidecar.source_type);
  read(object, "sourceId", sidecar.source_id);
  read_databases(object, sidecar);
  read(object, "engineVersion", sidecar.engine_version);
  read(object, "engineEdition", sidecar.engine_edition);
  read(object, "timestamp", sidecar.timestamp);
  read(object, "originalFileName", sidecar.original_file_name);
  std::string compression;
  read(object, "compression", compression);
  sidecar.compression = compression_from(compression).value_or(Compression::None);
  read_encryption(object, sidecar);
  read(object, "checksum", sidecar.checksum);
  read(object, "checksumMd5", sidecar.checksum_md5);
  sidecar.size = read_int(object, "size");
  sidecar.plain_size = read_int(object, "plainSize");
  if (const Json* labels = read_object(object, "labels"))
    for (const auto& [name, value] : labels->items())
      if (value.is_string()) sidecar.labels.emplace(name, value.get<std::string>());
  read(object, "backupType", sidecar.backup_type);
  if (const Json* trigger = read_object(object, "trigger")) {
    SidecarTrigger found;
    read(*trigger, "type", found.type);
    found.actor = read_optional(*trigger, "actor");
    sidecar.trigger = std::move(found);
  }
  read(object, "locked", sidecar.locked);
  if (const Json* verification = read_object(object, "verification")) {
    SidecarVerification found;
    read(*verification, "verifiedAt", found.verified_at);
    read(*verification, "passed", found.passed);
    read(*verification, "trigger", found.trigger);
    found.actual_checksum = read_optional(*verification, "actualChecksum");
    sidecar.verification = std::move(found);
  }
  if (const Json* multi = read_object(object, "multiDb")) {
    sidecar.multi_database = true;
    read(*multi, "indexChecksum", sidecar.index_checksum);
  }
  read(object, "macKeyId", sidecar.mac_key_id);
  sidecar.origin = text;
  return sidecar;
}

std::string render_sidecar(const Sidecar& sidecar) { return text_of(to_json(sidecar)); }

std::string render_signed_sidecar(const Sidecar& sidecar, std::string_view key) {
  Json object = to_json(sidecar);
  object["macKeyId"] = sidecar.mac_key_id;
  object["mac"] = mac_of(object, key);
  return text_of(object);
}

SidecarTrust check_sidecar(std::string_view text, std::string_view key_id, std::string_view key) {
  const Json object = parse_object(text);
  const std::optional<std::string> mac = read_optional(object, "mac");
  const std::optional<std::string> mac_key_id = read_optional(object, "macKeyId");
  if (!mac || !mac_key_id || *mac_key_id != key_id) return SidecarTrust::Unsigned;
  if (!integers_only(object)) return SidecarTrust::Tampered;
  return constant_time_equal(*mac, mac_of(object, key)) ? SidecarTrust::Signed
                                                        : SidecarTrust::Tampered;
}

std::string sidecar_mac(std::string_view object, std::string_view key) {
  return mac_of(parse_object(object), key);
}

}  // namespace dbackup::host
