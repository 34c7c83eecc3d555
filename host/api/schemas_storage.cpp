#include "api/schemas.hpp"

/// Schemas of what is done with stored backups beyond listing and fetching.
namespace dbackup::host::schemas {

using namespace schema;

namespace {
Json profile_override() {
  return described(nullable(text()), "encryption profile whose key is tried first");
}
}  // namespace

Json remove_file() {
  return object({required("path", text(1, 4096)),
                 optional("force", described(flag(),
                                             "also one that counts as locked only because its side "
                                             "file was altered"))});
}
Json lock_file() { return object({required("path", text(1, 4096)), required("locked", flag())}); }
Json prepared_download() {
  return object(
      {required("file", text(1, 4096)), optional("profileIdOverride", profile_override()),
       optional("rawKeyHex",
                described(nullable(text(64, 64)),
                          "key of a backup in the older format, 64 hexadecimal digits")),
       optional("identity", described(nullable(text()), "an age identity, never stored")),
       optional(
           "prepare",
           described(flag(), "answer a token for GET …/download?token= instead of the file"))});
}
Json prepared_download_answer() { return wrapped(object({required("token", text())})); }
Json analyze() {
  return object(
      {required("file", text(1, 4096)),
       optional("type", described(nullable(text()), "kind, when the backup does not say")),
       optional("profileIdOverride", profile_override())});
}
Json analyze_answer() {
  return object({required("databases", list_of(text())), optional("sourceType", text()),
                 optional("encrypted", flag())});
}
Json browse_archive() {
  return object({required("file", text(1, 4096)), optional("jobSourceId", nullable(text())),
                 optional("prefix", nullable(text(0, 4096))),
                 optional("profileIdOverride", profile_override())});
}
Json restore_files() {
  const Json selection =
      object({required("src", text(1, 100)), optional("paths", list_of(text(1, 4096), 1))});
  const Json target = object({required("kind", one_of({"download", "origin", "storage"})),
                              optional("configId", text()), optional("basePath", text(0, 4096))});
  return object({required("file", text(1, 4096)), optional("selections", list_of(selection, 1)),
                 required("target", target), optional("excludePatterns", list_of(text())),
                 optional("dryRun", flag()), optional("prepare", flag()),
                 optional("profileIdOverride", profile_override())});
}
Json check_path_answer() {
  return object({required("status", one_of({"occupied", "empty", "unverified"})),
                 optional("itemCount", integer())});
}
Json alerts_update() {
  return object({optional("usageSpikeEnabled", flag()),
                 optional("usageSpikeThresholdPercent", integer(1, 1000)),
                 optional("storageLimitEnabled", flag()),
                 optional("storageLimitBytes", integer(1, INT64_MAX)),
                 optional("missingBackupEnabled", flag()),
                 optional("missingBackupHours", integer(1, 8760))});
}
Json alerts_answer() { return wrapped(alerts_update()); }

}  // namespace dbackup::host::schemas
