#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/compression.hpp"

namespace dbackup::host {

struct SidecarEncryption {
  std::string profile_id;
  std::string algorithm;  // "age-x25519"; "aes-256-gcm" in those of the reference implementation
  std::string iv;         // the latter's only, hexadecimal
  std::string auth_tag;
};

struct SidecarTrigger {
  std::string type;  // "manual", "scheduler", "api", …
  std::optional<std::string> actor;
};

struct SidecarVerification {
  std::string verified_at;  // ISO 8601
  bool passed = false;
  std::string trigger;  // "manual", "post-upload", "scheduled"
  std::optional<std::string> actual_checksum;
};

/// What is written beside a stored backup as `<file>.meta.json`, last of all. Strings that are
/// absent are empty.
struct Sidecar {
  int64_t version = 1;
  int64_t format_version = 3;
  std::string execution_id;
  std::string job_id;
  std::string job_name;
  std::string source_name;
  std::string source_type;  // adapter id
  std::string source_id;
  int64_t database_count = 0;
  std::vector<std::string> database_names;
  std::string engine_version;
  std::string engine_edition;
  std::string timestamp;  // ISO 8601, when the sidecar was made
  std::string original_file_name;
  Compression compression = Compression::None;
  std::optional<SidecarEncryption> encryption;  // absent: not sealed
  std::string checksum;                         // SHA-256 of the stored bytes, hexadecimal
  std::string checksum_md5;
  std::optional<int64_t> size;        // stored bytes
  std::optional<int64_t> plain_size;  // bytes of the dump before compression
  std::map<std::string, std::string> labels;
  std::string backup_type = "full";
  std::optional<SidecarTrigger> trigger;
  bool locked = false;
  std::optional<SidecarVerification> verification;
  bool multi_database = false;  // a TAR of several: `multiDb.format` is "tar"
  std::string index_checksum;   // SHA-256 of its index.json, hexadecimal: `multiDb.indexChecksum`
  std::string mac_key_id;       // empty: written without a MAC

  /// The object it was read from, as JSON text; empty for a new one. What this struct does not
  /// know, and fields it knows but could not read, are written back from it.
  std::string origin;
};

/// Reads a sidecar: missing, unknown and oddly typed fields are tolerated, the flat fields of old
/// ones
/// (`encryptionProfileId`, `iv`, `authTag`, `databases` as array or number) understood. Throws
/// Error{InvalidArgument} when `text` is no JSON object. Says nothing about trust: see
/// check_sidecar().
Sidecar parse_sidecar(std::string_view text);

/// The text to store, without a MAC; `mac_key_id` is not written.
std::string render_sidecar(const Sidecar& sidecar);

/// The text to store, with `macKeyId` = sidecar.mac_key_id and `mac` under `key` (32 raw bytes).
/// Throws Error{InvalidArgument} when a member that is kept holds a fraction, which has no
/// canonical form.
std::string render_signed_sidecar(const Sidecar& sidecar, std::string_view key);

enum class SidecarTrust {
  Signed,    // the MAC is right
  Unsigned,  // no MAC, or of a key that is not ours: another instance, the reference implementation
  Tampered,  // the MAC is wrong: shown, and treated as locked
};

/// Judges the text as stored. `key_id` and `key` are those of this server for the sidecar's
/// execution. Throws as parse_sidecar().
SidecarTrust check_sidecar(std::string_view text, std::string_view key_id, std::string_view key);

/// HMAC-SHA-256 over the object without `mac`, keys sorted bytewise, no blanks, integers only;
/// hexadecimal. `object` is JSON text. Exposed for the golden test.
std::string sidecar_mac(std::string_view object, std::string_view key);

}  // namespace dbackup::host
